import type { Values } from "./api.ts";

/** What stands where something secret was. */
export const mask = "********";

/** The values that anybody may see. */
const open = ["CIPHERTEXT"];

/** The same with every secret value masked, wherever in a text it stands. */
export function masked<T>(shown: T, values: Values): T {
  const secrets = Object.entries(values).flatMap(([name, value]) => (open.includes(name) ? [] : [value]));
  const hide = (text: string) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, mask), text);
  return JSON.parse(JSON.stringify(shown, (_, part) => (typeof part === "string" ? hide(part) : part)));
}
