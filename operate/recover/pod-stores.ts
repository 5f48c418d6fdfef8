/** The stores of pods, through the Kubernetes API. */
import { createReadStream } from "node:fs";
import { execa } from "execa";
import { Parser } from "tar";
import type { Environment } from "../../setup/environment.ts";
import { NotYet, StepError, words } from "../../steps/lib/errors.ts";
import { execInPod } from "../../steps/lib/exec.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { getPod } from "../../steps/lib/pods.ts";
import type { Reach } from "../../steps/lib/target.ts";
import { until } from "../../steps/lib/wait.ts";
import type { Stores } from "./recover.ts";

const data = "/vault/data";

/** Whole or not at all: Vault refuses to be unsealed with half of it. The text holds names and addresses only. */
const put = `cd ${data}/raft && printf %s "$1" >peers.json.tmp && sync && mv peers.json.tmp peers.json && sync`;

/**
 * Goes in by exec, which wants a container that runs: that of a sealed Vault does. One whose Vault ends again and again is
 * waited for; what ends it has to be mended first, since it could not lead either.
 */
export async function podStores(
  { kubeconfig, namespace }: Extract<Reach, { kind: "kubernetes" }>,
  env: Environment,
): Promise<Stores> {
  const kube = await openKube(kubeconfig);
  return {
    restart: async (node, step) => {
      const { signal } = step;
      const uidOf = async () => (await getPod(kube, namespace, node, signal)).metadata.uid;
      const before = await until(`pod ${node}`, uidOf, step);
      await kube.delete(`/api/v1/namespaces/${namespace}/pods/${node}`, signal);
      const runs = async () => {
        const pod = await getPod(kube, namespace, node, signal);
        const story = storyOf(pod);
        if (pod.metadata.uid === before) throw new NotYet(`pod ${node} is being deleted`);
        if (!story.running) throw new NotYet(story.words);
      };
      await until(`${node} to run again`, runs, step);
    },
    copy: async (node, file, cancelSignal) => {
      const at = ["--kubeconfig", kubeconfig, "--namespace", namespace, "exec", node, "--container", "vault"];
      const tar = ["tar", "-cf", "-", "-C", data, "."];
      const options = { env, cancelSignal, reject: false, stdin: "ignore" } as const;
      const ended = await execa("kubectl", [...at, "--", ...tar], { ...options, stdout: { file } });
      if (ended.failed)
        throw new StepError(`the store of ${node} could not be copied: ${ended.stderr || words(ended)}`);
      const names = await namesIn(file);
      for (const wanted of ["./vault.db", "./raft/raft.db"])
        if (!names.includes(wanted)) throw new StepError(`the copy of ${node}'s store has no ${wanted}`);
    },
    putPeers: (node, text) => execInPod(kube, namespace, node, ["sh", "-c", put, "sh", text]),
  };
}

/** Reads a tar file to its end. */
async function namesIn(file: string): Promise<string[]> {
  const names: string[] = [];
  const parser = new Parser({ strict: true });
  parser.on("entry", (entry) => {
    names.push(entry.path);
    entry.resume();
  });
  await new Promise<void>((resolve, reject) => {
    parser.on("end", resolve);
    parser.on("error", reject);
    createReadStream(file).on("error", reject).pipe(parser);
  });
  return names;
}
