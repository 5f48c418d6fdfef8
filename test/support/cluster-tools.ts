import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { checkout, local } from "../../setup/folders.ts";
import { poll } from "../../setup/processes.ts";
import { HttpClient } from "../../steps/lib/http.ts";
import type { Road } from "../../steps/lib/road.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { asEachSpeaks } from "./as-each-speaks.ts";
import { Looks } from "./looks.ts";

/** What a test does by hand to the cluster of a stack that stands. */
export class ClusterTools {
  readonly stack: string;
  readonly pods: readonly string[];
  readonly stackDir: string;
  /** npm run status and npm run doctor, on this stack. */
  readonly looks: Looks;

  constructor(stack: string, pods: readonly string[]) {
    this.stack = stack;
    this.pods = pods;
    this.stackDir = join(checkout, ".local/stacks", stack);
    this.looks = new Looks(stack, () => this.#secrets());
  }

  get kubeconfig(): string {
    return join(this.stackDir, "kubeconfig");
  }

  async kubectl(...args: string[]): Promise<string> {
    const where = ["--kubeconfig", this.kubeconfig, "--namespace", "vault"];
    return (await execa("kubectl", [...where, ...args], { stdin: "ignore" })).stdout;
  }

  /** One object, as it can be applied again. */
  async object(
    kind: string,
    name: string,
  ): Promise<{ data?: object; spec?: { type?: string; ports?: object[]; selector?: object } }> {
    const object = JSON.parse(await this.kubectl("get", kind, name, "--output", "json"));
    const { data, spec } = object;
    return { data, spec };
  }

  /** The certificate that a Secret of type kubernetes.io/tls holds. */
  async certificateIn(secret: string): Promise<X509Certificate> {
    const base64 = await this.kubectl("get", "secret", secret, "--output", "jsonpath={.data.tls\\.crt}");
    return new X509Certificate(Buffer.from(base64, "base64"));
  }

  async patch(kind: string, name: string, change: object): Promise<void> {
    await this.kubectl("patch", kind, name, "--type=merge", "--patch", JSON.stringify(change));
  }

  async apply(object: object): Promise<void> {
    const where = ["--kubeconfig", this.kubeconfig, "--namespace", "vault"];
    await execa("kubectl", [...where, "apply", "--filename", "-"], { input: JSON.stringify(object) });
  }

  /** Deletes pods and waits until they are gone; the StatefulSet makes others. */
  async deletePods(...pods: string[]): Promise<void> {
    await this.kubectl("delete", "pod", ...pods, "--grace-period=1");
  }

  /** Waits until a node answers, and unseals it unless it is. */
  async unseal(pod: string): Promise<void> {
    const { shares, threshold } = this.#keys();
    const done = await poll(
      () =>
        this.#vault(pod, async (vault) => {
          const { sealed, initialized } = await vault.sealStatus();
          if (!initialized) return undefined;
          if (sealed) for (const share of shares.slice(0, threshold)) await vault.unseal(share);
          return (await vault.sealStatus()).sealed ? undefined : true;
        }).catch(() => undefined),
      { forMs: 180_000, everyMs: 500 },
    );
    assert.ok(done, `${pod} was not unsealed`);
  }

  /** Which pod leads. */
  async leader(): Promise<string> {
    const found = await poll(
      async () => {
        for (const pod of this.pods) {
          const leads = await this.#vault(pod, (vault) => vault.leader()).catch(() => undefined);
          if (leads?.is_self) return pod;
        }
        return undefined;
      },
      { forMs: 60_000 },
    );
    return found ?? assert.fail("nobody leads");
  }

  /** The pods that follow. */
  async followers(): Promise<string[]> {
    const leader = await this.leader();
    return this.pods.filter((pod) => pod !== leader);
  }

  /** The Kubernetes node of a pod, which is also the name of its container. */
  nodeOf(pod: string): Promise<string> {
    return this.kubectl("get", "pod", pod, "--output", "jsonpath={.spec.nodeName}");
  }

  /** The containers of the cluster's nodes. */
  async nodes(): Promise<string[]> {
    const filter = ["--filter", "label=io.x-k8s.kind.cluster", "--filter", `name=^vault-ha-${this.stack}-`];
    const { stdout } = await execa("docker", ["ps", "--all", ...filter, "--format", "{{.Names}}"]);
    return stdout.split("\n").filter(Boolean);
  }

  /** Seals the node that leads. */
  async seal(leader: string): Promise<void> {
    await this.#put(leader, "sys/seal");
  }

  /** Takes a node out of the raft configuration. */
  async removePeer(pod: string): Promise<void> {
    await this.#put(await this.leader(), "sys/storage/raft/remove-peer", { server_id: pod });
  }

  /** Takes away what a node has stored, and starts it again. */
  async emptyStore(pod: string): Promise<void> {
    await (await this.#road()).emptyStore?.(pod, AbortSignal.timeout(30_000));
  }

  async #put(pod: string, path: string, body: object = {}): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    const road = await this.#road();
    const http = new HttpClient(road.host(pod), () => road.connect(pod, signal));
    const headers = { "x-vault-request": "true", "x-vault-token": this.#keys().rootToken };
    const call = { method: "PUT", path: `/v1/${path}`, headers, body, timeoutMs: 20_000, signal } as const;
    const answer = await http.call(call).finally(() => http.close());
    assert.equal(answer.status, 204, answer.body);
  }

  /** Kills a pulumi as soon as it has locked the stack. */
  async killPulumi(): Promise<void> {
    const locks = join(local.state, ".pulumi/locks/organization/vault-ha", this.stack);
    const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", this.stack];
    const run = execa("pulumi", args, { cwd: checkout, reject: false, stdin: "ignore" });
    // Under another name while it is written.
    const written = () => existsSync(locks) && readdirSync(locks).some((name) => name.endsWith(".json"));
    const locked = () => written() || undefined;
    assert.ok(await poll(locked, { forMs: 30_000, everyMs: 5 }), "pulumi did not lock the stack");
    run.kill("SIGKILL");
    await run;
  }

  #keys(): { shares: string[]; rootToken: string; threshold: number } {
    const { answer, threshold } = JSON.parse(readFileSync(join(this.stackDir, "vault-init.json"), "utf8"));
    return { ...answer, threshold };
  }

  #secrets(): string[] {
    try {
      const { shares, rootToken } = this.#keys();
      return [...shares, rootToken];
    } catch {
      // The journal is away, which is the fault that is tested.
      return [];
    }
  }

  async #vault<T>(pod: string, work: (vault: Vault) => Promise<T>): Promise<T> {
    const vault = new Vault(await this.#road(), pod, { signal: AbortSignal.timeout(30_000) });
    return work(vault).finally(() => vault.close());
  }

  /** The way to the pods, as each of them speaks now. */
  async #road(): Promise<Road> {
    return asEachSpeaks({ kind: "kubernetes", kubeconfig: this.kubeconfig, namespace: "vault" });
  }
}
