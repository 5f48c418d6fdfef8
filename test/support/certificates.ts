import assert from "node:assert/strict";
import { VaultStack } from "./vault-stack.ts";

export interface Certificate {
  cert: string;
  key: string;
}

/**
 * A certificate with its authority, and another authority, made by a Vault: no other program is needed for it.
 * `again` is one more of the same authority, for the names of `againFor`.
 */
export async function certificates(
  names: string,
  againFor = names,
): Promise<Certificate & { caCert: string; other: string; again: Certificate }> {
  const maker = await VaultStack.start(1);
  try {
    await maker.raise();
    // An unsealed node is not yet one that leads.
    assert.equal((await maker.verify()).code, 0);
    const vault = maker.nodes.at(0);
    const call = async (path: string, body: object) =>
      (await vault.send("POST", path, body, maker.token)).data as Record<string, string>;
    const authority = async (mount: string) => {
      await call(`sys/mounts/${mount}`, { type: "pki" });
      const made = await call(`${mount}/root/generate/internal`, { common_name: mount, key_type: "ec" });
      return made.certificate ?? "";
    };
    const caCert = await authority("one");
    await call("one/roles/vault", { allow_any_name: true, key_type: "ec", max_ttl: "1h" });
    const issue = async (alt_names: string): Promise<Certificate> => {
      const body = { common_name: "vault", alt_names, exclude_cn_from_sans: true };
      const { certificate = "", private_key = "" } = await call("one/issue/vault", body);
      return { cert: certificate, key: private_key };
    };
    return {
      ...(await issue(names)),
      caCert,
      other: await authority("other"),
      again: await issue(againFor),
    };
  } finally {
    await maker.end();
  }
}
