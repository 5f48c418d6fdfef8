import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeOptions, type Tls, VaultProcess } from "./vault-process.ts";

/** What a seal's token may do with its key. */
type May = "encrypt" | "decrypt";

/** Another real Vault, whose transit engine is a stack's seal. */
export class TransitVault {
  readonly vault: VaultProcess;
  /** The token that the nodes log in with. */
  token = "";
  readonly #folder: string;
  #share = "";
  #root = "";

  private constructor(vault: VaultProcess, folder: string) {
    this.vault = vault;
    this.#folder = folder;
  }

  /** @param tls the certificate that it serves; without one it speaks HTTP */
  static async start(tls?: Tls): Promise<TransitVault> {
    const folder = await mkdtemp(join(tmpdir(), "vault-ha-transit-"));
    const it = new TransitVault(await VaultProcess.prepare("transit-0", folder, tls && { tls }), folder);
    await it.vault.start();
    const init = await it.vault.send("PUT", "sys/init", { secret_shares: 1, secret_threshold: 1 });
    [it.#share] = init.keys_base64 as [string];
    it.#root = init.root_token as string;
    await it.#unseal();
    await it.send("POST", "sys/mounts/transit", { type: "transit" });
    await it.makeKey("vault-unseal");
    await it.allow("encrypt", "decrypt");
    it.token = await it.makeToken();
    return it;
  }

  /** The part of a node's options by which it has this seal; `more` is what else its stanza says. */
  seal(key = "vault-unseal", more: object = {}): Required<Pick<NodeOptions, "seal">>["seal"] {
    return {
      stanza: { transit: { address: this.vault.address, mount_path: "transit/", key_name: key, ...more } },
      env: { VAULT_TOKEN: this.token },
    };
  }

  async makeKey(name: string): Promise<void> {
    await this.send("POST", `transit/keys/${name}`, {});
  }

  /** What the nodes' token may do from now on. */
  async allow(...may: May[]): Promise<void> {
    const rules = may.map((what) => `path "transit/${what}/*" { capabilities = ["update"] }`);
    await this.send("PUT", "sys/policies/acl/seal", {
      policy: rules.join("\n") || 'path "none" { capabilities = ["deny"] }',
    });
  }

  /** A token of its own, as docs/seal.md makes one. */
  async makeToken(): Promise<string> {
    const body = { policies: ["seal"], period: "24h" };
    const { auth } = (await this.send("POST", "auth/token/create-orphan", body)) as {
      auth: { client_token: string };
    };
    return auth.client_token;
  }

  async revoke(token: string): Promise<void> {
    await this.send("POST", "auth/token/revoke", { token });
  }

  async away(): Promise<void> {
    await this.vault.stop();
  }

  async back(): Promise<void> {
    await this.vault.start();
    await this.#unseal();
  }

  async end(): Promise<void> {
    await this.vault.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #unseal(): Promise<void> {
    await this.vault.send("PUT", "sys/unseal", { key: this.#share });
    for (let tries = 0; tries < 100; tries++) {
      const { is_self } = await this.vault.get("sys/leader").catch(() => ({ is_self: false }));
      if (is_self) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`transit does not lead: ${await this.vault.log()}`);
  }

  async send(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    return await this.vault.send(method, path, body, this.#root);
  }
}
