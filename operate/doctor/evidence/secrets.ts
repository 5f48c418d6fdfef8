import type { VaultKeys } from "../../open-vault.ts";

/** Vault's own tokens, of any kind and age: https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes */
const anyToken = /\b(?:hv[sbr]\.[\w-]{8,}|[sbr]\.[A-Za-z0-9]{24,})\b/g;

/** Gives a filter for words of others, such as a log: known keys in each way of writing them, and tokens of any kind. */
export function hiding(keys: Pick<VaultKeys, "shares" | "rootToken"> | undefined): (text: string) => string {
  const shares = keys?.shares ?? [];
  const hex = shares.map((share) => Buffer.from(share, "base64").toString("hex"));
  const secrets = [...shares, ...hex, keys?.rootToken ?? ""].filter((secret) => secret !== "");
  return (text) =>
    secrets
      .reduce((shown, secret) => shown.replaceAll(secret, "(secret)"), text)
      .replace(anyToken, "(secret)");
}
