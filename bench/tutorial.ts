/**
 * The tutorial's way to a Vault of three voters: apply the chart's objects, then type init, unseal, join and unseal.
 * https://developer.hashicorp.com/vault/tutorials/kubernetes/kubernetes-minikube-raft
 * It differs in two things, both to its advantage or to nobody's: `helm install` is an apply of the objects that
 * our own release left behind, and shares and token go over stdin instead of the command line.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { execa } from "execa";

const others = ["vault-1", "vault-2"];

/** kubectl for one cluster and one namespace. */
export function kubectl(kubeconfig: string, namespace: string) {
  return (args: string[], input = "") =>
    execa("kubectl", ["--kubeconfig", kubeconfig, "--namespace", namespace, ...args], { input });
}

type Kubectl = ReturnType<typeof kubectl>;

/**
 * The objects of the installed release, as `helm get manifest vault` prints them, with Raft's and
 * autopilot's times as the tutorial leaves them: Vault's own.
 */
export async function releasedObjects(run: Kubectl): Promise<string> {
  const { stdout } = await run([
    "get",
    "secret",
    "sh.helm.release.v1.vault.v1",
    "--output",
    "jsonpath={.data.release}",
  ]);
  const packed = Buffer.from(Buffer.from(stdout, "base64").toString(), "base64");
  const { manifest } = JSON.parse(gunzipSync(packed).toString()) as { manifest: string };
  return manifest.replace(/^ *(performance_multiplier|autopilot_\w+_interval) .*\n/gm, "");
}

/** Returns once three voters stand and a write was read back. */
export async function followTutorial(run: Kubectl, namespace: string, objects: string): Promise<void> {
  const inPod = (pod: string, command: string[], input = "") =>
    run(["exec", "--stdin", pod, "--container", "vault", "--", ...command], input);
  const withToken = (command: string) =>
    inPod(
      "vault-0",
      ["sh", "-c", `read -r VAULT_TOKEN; export VAULT_TOKEN; ${command}`],
      `${init.root_token}\n`,
    );
  const unseal = async (pod: string) => {
    for (const key of init.unseal_keys_b64.slice(0, 3))
      await inPod(pod, ["vault", "write", "sys/unseal", "key=-"], key);
  };

  await run(["create", "namespace", namespace]);
  await run(["apply", "--filename", "-"], objects);
  await until(() => inPod("vault-0", ["sh", "-c", "vault status -format=json || test $? = 2"]));
  const { stdout } = await inPod("vault-0", [
    "vault",
    "operator",
    "init",
    "-key-shares=5",
    "-key-threshold=3",
    "-format=json",
  ]);
  const init = JSON.parse(stdout) as { unseal_keys_b64: string[]; root_token: string };
  await unseal("vault-0");
  for (const pod of others) {
    await until(() =>
      inPod(pod, ["vault", "operator", "raft", "join", "http://vault-0.vault-internal:8200"]),
    );
    await unseal(pod);
  }
  await until(async () => {
    const { stdout } = await withToken("vault operator raft list-peers -format=json");
    const { servers } = JSON.parse(stdout).data.config as { servers: { voter: boolean }[] };
    if (servers.filter(({ voter }) => voter).length < 3) throw new Error("not three voters yet");
  });
  await withToken("vault write cubbyhole/bench value=1 && vault read cubbyhole/bench");
}

/** Tries every half second, as somebody does who presses the arrow key. Gives up after five minutes. */
async function until(work: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + 300_000;
  for (;;) {
    try {
      await work();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await sleep(500);
    }
  }
}
