/** A Vault as somebody makes it by the tutorial: helm install, init, unseal, join. No step of this program is used. */
import * as k8s from "@pulumi/kubernetes";
import { LocalWorkspace } from "@pulumi/pulumi/automation/index.js";
import { chartArgs } from "../../components/chart.ts";
import { checkout } from "../../setup/folders.ts";
import { loadSources } from "../../sources.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Vault } from "../../steps/lib/vault.ts";
import type { OutsideCluster } from "./outside-cluster.ts";
import { eventually } from "./shared-stack.ts";

/** What `vault operator init -format=json` prints. */
export interface PrintedKeys {
  unseal_keys_b64: string[];
  unseal_threshold: number;
  root_token: string;
}

const namespace = "vault";
const pods = ["vault-0", "vault-1", "vault-2"];

/**
 * Makes one, with values of the tutorial's.
 * https://developer.hashicorp.com/vault/tutorials/kubernetes/kubernetes-raft-deployment-guide
 */
export async function makeByHand(cluster: OutsideCluster): Promise<PrintedKeys> {
  await cluster.kubectl("create", "namespace", namespace);
  await helmInstall(cluster);
  await eventually(async () => {
    const phases = await cluster.kubectl(
      ...["get", "pods", "--namespace", namespace, "--selector", "component=server"],
      ...["--output", "jsonpath={.items[*].status.phase}"],
    );
    return phases === "Running Running Running";
  }, "three pods that run");
  const vault = (pod: string, ...args: string[]) =>
    cluster.kubectl("exec", pod, "--namespace", namespace, "--", "vault", "operator", ...args);
  let printed = "";
  await eventually(async () => {
    printed = await vault("vault-0", "init", "-key-shares=5", "-key-threshold=3", "-format=json");
    return true;
  }, "vault-0 to be initialised");
  const keys: PrintedKeys = JSON.parse(printed);
  const unseal = async (pod: string) => {
    for (const share of keys.unseal_keys_b64.slice(0, 3)) await vault(pod, "unseal", share);
  };
  await unseal("vault-0");
  for (const pod of pods.slice(1)) {
    await eventually(async () => {
      await vault(pod, "raft", "join", "http://vault-0.vault-internal:8200");
      return true;
    }, `${pod} to join`);
    await unseal(pod);
  }
  const road = await openRoad({
    scheme: "http",
    reach: { kind: "kubernetes", kubeconfig: cluster.kubeconfig, namespace },
  });
  const first = new Vault(road, "vault-0", { signal: AbortSignal.timeout(120_000) }, keys.root_token);
  // Autopilot gives a vote to one that has been well for ten seconds.
  await eventually(
    async () => (await first.raftServers()).filter(({ voter }) => voter).length === 3,
    "three voters",
  );
  first.close();
  return keys;
}

/** A true release of Helm's, by the Helm in Pulumi's plug-in; the state that knows it is thrown away. */
async function helmInstall({ kubeconfig }: OutsideCluster): Promise<void> {
  const source = loadSources().vault;
  const values = {
    injector: { enabled: false },
    server: {
      image: source.image,
      dataStorage: { size: "1Gi" },
      ha: { enabled: true, replicas: 3, raft: { enabled: true, setNodeId: true } },
    },
  };
  const program = async () => {
    const provider = new k8s.Provider("by-hand", { kubeconfig });
    new k8s.helm.v3.Release(
      "by-hand",
      { name: "vault", namespace, ...chartArgs(source), values, skipAwait: true },
      { provider },
    );
  };
  const stackName = `dev-test-${process.pid}-by-hand`;
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName, projectName: "by-hand", program },
    { workDir: checkout },
  );
  await stack.up();
  await stack.workspace.removeStack(stackName, { force: true });
}
