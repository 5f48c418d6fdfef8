/** The ways to end a leader on the stack's cluster. */
import { kubectl } from "../../setup/kubectl.ts";
import { docker, dockerLines } from "../../steps/lib/docker.ts";
import { NotYet, StepError } from "../../steps/lib/errors.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { kubectl as kubectlLine } from "../../steps/lib/target.ts";
import { eachVaultServer } from "../../steps/lib/vault-process.ts";
import type { OpenVault } from "../open-vault.ts";

/** Somebody who ends a leader. */
export interface Killer {
  /** What it does to a node, for words: "SIGKILL to the vault process". */
  says: string;
  /** Finds what is to be ended. Nothing has happened yet. */
  aim(node: string): Promise<Aimed>;
}

/** What has been found, ready to be ended. */
export interface Aimed {
  kill(): Promise<void>;
  /** Starts what does not start again by itself. Changes nothing where it runs. */
  restore(): Promise<void>;
  /**
   * Throws NotYet as long as it has not been started again. Vault itself does not tell: one that ends in good order
   * says that it is sealed, as a new one does.
   */
  restarted(): Promise<void>;
}

/** Nothing to do: the kubelet or the StatefulSet starts it again. */
const restartsByItself = async () => {};

/**
 * Sends a signal to the vault process of the leader's pod, from the Kubernetes node: within a pod, the kernel does not
 * let process 1 be killed, and not every node image has crictl.
 */
export function signalKiller(open: OpenVault, signal: "KILL" | "TERM"): Killer {
  return {
    says: `SIG${signal} to the vault process`,
    aim: async (pod) => {
      const { node, container } = await whereIs(open, pod);
      const pids = await dockerLines("exec", node, "sh", "-c", findVault, "sh", container);
      if (pids.length === 0)
        throw new StepError(
          `no Vault server was found in container ${container.slice(0, 12)} of ${pod} on ${node}`,
          kubectlLine(open.target, "get pods"),
        );
      return {
        kill: async () =>
          void (await docker("exec", node, "sh", "-c", 'kill -s "$@"', "sh", signal, ...pids)),
        restore: restartsByItself,
        restarted: anotherThan(open, pod, container),
      };
    },
  };
}

/** Prints the process ids, in the node's own view, of the Vault servers whose control group is the container's. */
const findVault = eachVaultServer(`grep -q "$1" "$process/cgroup" 2>/dev/null && echo "\${process#/proc/}"`);

/** Deletes the pod through the Kubernetes API, as `kubectl delete pod` does; the StatefulSet makes it again. */
export function podKiller(open: OpenVault): Killer {
  const { namespace } = open.target.reach;
  return {
    says: "deletion of its pod",
    aim: async (pod) => {
      const { container } = await whereIs(open, pod);
      return {
        kill: async () => {
          const args = ["--namespace", namespace, "delete", "pod", pod, "--wait=false"];
          const { failed, stderr } = await kubectl(open.stack, args);
          if (failed)
            throw new StepError(
              `${pod} could not be deleted: ${stderr}`,
              kubectlLine(open.target, `delete pod ${pod}`),
            );
        },
        restore: restartsByItself,
        restarted: anotherThan(open, pod, container),
      };
    },
  };
}

/** Stops the container that is the leader's Kubernetes node, as when a machine is switched off. */
export function nodeKiller(open: OpenVault): Killer {
  return {
    says: "stop of its Kubernetes node",
    aim: async (pod) => {
      const { node, container } = await whereIs(open, pod);
      return {
        kill: async () => void (await docker("stop", node)),
        restore: async () => void (await docker("start", node)),
        restarted: anotherThan(open, pod, container),
      };
    },
  };
}

/** The Kubernetes node that a pod is on, which is a Docker container of the same name, and its running Vault container. */
async function whereIs(open: OpenVault, name: string): Promise<{ node: string; container: string }> {
  const { kubeconfig, namespace } = open.target.reach;
  const pod = await getPod(await openKube(kubeconfig), namespace, name, new AbortController().signal);
  const story = storyOf(pod);
  if (!story.running || pod.spec.nodeName === undefined) throw new NotYet(story.words);
  return { node: pod.spec.nodeName, container: story.container.replace(/^.*:\/\//, "") };
}

/** Looks whether the pod's container is another one than it was. */
function anotherThan(open: OpenVault, pod: string, before: string) {
  return async () => {
    const { container } = await whereIs(open, pod);
    if (container === before) throw new NotYet(`${pod} still has the container that was there before`);
  };
}
