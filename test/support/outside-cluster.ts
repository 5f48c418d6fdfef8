/** A kind cluster that the program did not make: it plays the one that exists. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { checkout } from "../../setup/folders.ts";
import { loadSources } from "../../sources.ts";

export class OutsideCluster {
  /** What the administrator's kubeconfig is called in, and its context. */
  readonly kubeconfig: string;
  readonly context: string;
  readonly #name: string;
  readonly #folder: string;

  private constructor(name: string, folder: string) {
    this.#name = name;
    this.#folder = folder;
    this.context = `kind-${name}`;
    this.kubeconfig = join(folder, "admin");
  }

  /** Three workers, each in a zone of its own. */
  static async make(): Promise<OutsideCluster> {
    const name = `vault-ha-test-${process.pid}-outside`;
    const cluster = new OutsideCluster(name, mkdtempSync(join(tmpdir(), "vault-ha-outside-")));
    const { nodeImage: image } = loadSources();
    const node = (role: string, labels = {}) => ({ role, ...(image && { image }), labels });
    const zones = ["a", "b", "c"].map((zone) => ({ "topology.kubernetes.io/zone": zone }));
    const config = stringify({
      kind: "Cluster",
      apiVersion: "kind.x-k8s.io/v1alpha4",
      nodes: [node("control-plane"), ...zones.map((labels) => node("worker", labels))],
      kubeadmConfigPatches: ["kind: KubeletConfiguration\nfailCgroupV1: false\n"],
    });
    const args = ["create", "cluster", "--name", name, "--config", "-", "--kubeconfig", cluster.kubeconfig];
    await execa("kind", [...args, "--wait", "0s"], {
      input: config,
      env: { KIND_EXPERIMENTAL_DOCKER_NETWORK: name },
    });
    return cluster;
  }

  static #shared: Promise<OutsideCluster> | undefined;

  /** The one of this test run; the first caller has it made. What a test puts into it, it takes out again. */
  static shared(): Promise<OutsideCluster> {
    OutsideCluster.#shared ??= OutsideCluster.make();
    return OutsideCluster.#shared;
  }

  /** At the end of a run; or earlier, where nothing after it wants one: it costs the machine while it stands. */
  static async removeShared(): Promise<void> {
    const shared = OutsideCluster.#shared;
    OutsideCluster.#shared = undefined;
    await (await shared)?.remove();
  }

  async kubectl(...args: string[]): Promise<string> {
    const { stdout } = await execa("kubectl", ["--kubeconfig", this.kubeconfig, ...args], {
      stdin: "ignore",
    });
    return stdout;
  }

  /**
   * A kubeconfig of a service account that may do nothing yet, its only context named `limited`.
   * @returns the file's path
   */
  async limitedLogin(account: string): Promise<string> {
    await this.kubectl("create", "serviceaccount", account, "--namespace", "default");
    const token = await this.kubectl(
      "create",
      "token",
      account,
      "--namespace",
      "default",
      "--duration",
      "2h",
    );
    const admin = parse(await this.kubectl("config", "view", "--raw"));
    const [cluster] = admin.clusters;
    const file = join(this.#folder, account);
    const limited = {
      ...admin,
      users: [{ name: account, user: { token } }],
      contexts: [{ name: "limited", context: { cluster: cluster.name, user: account } }],
      "current-context": "limited",
    };
    writeFileSync(file, stringify(limited), { mode: 0o600 });
    chmodSync(file, 0o600);
    return file;
  }

  /** Everything in it that outlives its own controllers' work, as `kind/name` of a namespace or the whole cluster. */
  async objects(): Promise<string[]> {
    const kinds = [
      "namespaces",
      "persistentvolumes",
      "clusterroles",
      "clusterrolebindings",
      "persistentvolumeclaims",
      "statefulsets",
      "services",
      "serviceaccounts",
      "configmaps",
      "secrets",
      "roles",
      "rolebindings",
    ];
    const list = ["get", kinds.join(","), "--all-namespaces", "--output"];
    const names = "jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{'\\n'}{end}";
    return (await this.kubectl(...list, names)).split("\n").filter(Boolean).sort();
  }

  async remove(): Promise<void> {
    await execa("kind", ["delete", "cluster", "--name", this.#name, "--kubeconfig", this.kubeconfig]);
    await execa("docker", ["network", "rm", this.#name]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs one of commands/ as npm does. */
export function runCommandOn(stack: string, name: string, ...args: string[]) {
  return execa(process.execPath, [`commands/${name}.ts`, ...args, "--stack", stack], {
    cwd: checkout,
    reject: false,
    all: true,
    stdin: "ignore",
  });
}

/** A root hook: whichever test had it made. */
after(async function () {
  this.timeout(120_000);
  await OutsideCluster.removeShared();
});
