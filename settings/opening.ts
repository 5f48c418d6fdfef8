/** Settings of what opens Vault: who holds the key shares, or which seal unseals the nodes. */
import type { Read } from "./choices.ts";
import { type Key, settingList } from "./list.ts";
import { type SealSettings, sealKinds, secretKeys, secretParameters } from "./seals.ts";
import { mend, removal } from "./words.ts";

/** Who holds the key shares. */
export type CustodySettings =
  | { mode: "stack" }
  /** Files with public keys: each holder's, in the order of the shares, and that of whoever gets the root token. */
  | { mode: "pgp"; holders: string[]; rootHolder: string };

/** @param shares how many there are; undefined where that setting does not fit */
export function readCustody(read: Read, shares: number | undefined, problems: string[]): CustodySettings {
  const [mode, holders, rootHolder] = [
    read("custody.mode"),
    read("custody.holders") as string[] | undefined,
    read("custody.rootHolder") as string | undefined,
  ];
  const given = { "custody.holders": holders, "custody.rootHolder": rootHolder };
  for (const [key, value] of Object.entries(given) as [Key, unknown][]) {
    if (mode === "stack" && value !== undefined)
      problems.push(`${key}: the mode stack (custody.mode) does not use it.\n    ${removal(key)}`);
    if (mode === "pgp" && value === undefined)
      problems.push(`${key}: the mode pgp (custody.mode) needs it.\n    ${mend(key, undefined)}`);
  }
  if (mode === "pgp" && holders !== undefined && shares !== undefined && holders.length !== shares)
    problems.push(
      `custody.holders: ${holders.length} ${holders.length === 1 ? "key" : "keys"} for ${shares} ${shares === 1 ? "share" : "shares"} (vault.shares); each share goes to one holder.\n    ${mend("vault.shares", String(holders.length))}`,
    );
  return mode === "pgp" ? { mode, holders: holders ?? [], rootHolder: rootHolder ?? "" } : { mode: "stack" };
}

const sealPrefix = "vault.seal.";
const sealKeys = Object.keys(settingList).filter((key) => key.startsWith(sealPrefix)) as Key[];
const sealKey = (name: string) => `${sealPrefix}${name}` as Key;

/** undefined where key shares unseal the nodes. */
export function readSeal(read: Read, problems: string[]): SealSettings | undefined {
  const wrong = problems.length;
  const values = new Map(sealKeys.map((key) => [key, read(key)]));
  const type = values.get("vault.seal.type") as SealSettings["type"] | undefined;
  const secret = values.get("vault.seal.secret") as string | undefined;
  const given = sealKeys.filter((key) => values.get(key) !== undefined);
  if (type === undefined) {
    // A type that does not fit is told already.
    if (problems.length === wrong)
      for (const key of given)
        problems.push(`${key}: there is no seal (vault.seal.type), so nothing uses it.\n    ${removal(key)}`);
    return undefined;
  }
  const because = `the seal ${type} (vault.seal.type)`;
  const { needs, takes, mayDoWithoutSecret } = sealKinds[type];
  const own = [...needs, ...takes].map(sealKey);
  for (const key of given)
    if (![...own, "vault.seal.type", "vault.seal.secret"].includes(key))
      problems.push(`${key}: ${because} does not use it.\n    ${removal(key)}`);
  const told = (key: Key) => problems.some((problem) => problem.startsWith(`${key}: `));
  for (const key of needs.map(sealKey))
    if (values.get(key) === undefined && !told(key))
      problems.push(`${key}: ${because} needs it.\n    ${mend(key, undefined)}`);
  const parameters = Object.fromEntries(
    own.flatMap((key) => {
      const value = values.get(key);
      return value === undefined ? [] : [[key.slice(sealPrefix.length), value as string]];
    }),
  );
  const seal = { type, secret, parameters };
  const wanted = secretKeys({ ...seal, secret: "any" });
  if (secret === undefined && (!mayDoWithoutSecret || wanted.files.length > 0) && !told("vault.seal.secret"))
    problems.push(
      `vault.seal.secret: ${because} needs it: a Secret with the ${[...wanted.env, ...wanted.files].length > 1 ? "keys" : "key"} ${[...wanted.env, ...wanted.files].join(", ")} (docs/seal.md).\n    ${mend("vault.seal.secret", "vault-seal")}`,
    );
  return seal;
}

/** What a setting would make known that belongs into a Secret; undefined for every other key. */
export function secretSetting(key: string): string | undefined {
  const name = key.startsWith(sealPrefix) ? key.slice(sealPrefix.length) : "";
  if (!Object.hasOwn(secretParameters, name)) return undefined;
  return `${key}: it is secret, and settings end in Vault's configuration, which many may read. Take it out, treat it as known, and put another one into the Secret that vault.seal.secret names, under the key ${secretParameters[name]} (docs/seal.md).\n    ${removal(key)}`;
}
