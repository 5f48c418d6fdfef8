import { shellWord } from "../../setup/shell-word.ts";
import { type ApiCall, isName } from "./api.ts";
import { type Place, partsOf } from "./place.ts";

/** What of an answer is kept for later calls: the name of the value, and where in the answer it stands. */
export interface Kept {
  name: string;
  from: readonly string[];
}

/**
 * The line that makes a call from a shell in which VAULT_ADDR, VAULT_CACERT and the values are set. It holds no value,
 * and those of its body go through a pipe, not through curl's arguments, which every user of the machine can see.
 */
export function curlLine({ method, path, token, wrapTtl, body }: ApiCall, place: Place, kept?: Kept): string {
  const { scheme, hostname, port } = partsOf(place);
  const { before, data } = dataOf(body);
  const words = [
    "curl -sS",
    ...(scheme === "https" ? ['--cacert "$VAULT_CACERT"'] : []),
    // curl itself takes every name under localhost for loopback (RFC 6761).
    ...(isLoopback(hostname, place.ip) ? [] : [`--resolve ${hostname}:${port}:${place.ip}`]),
    ...(token ? [`-H "X-Vault-Token: $${token}"`] : []),
    ...(wrapTtl ? [`-H "X-Vault-Wrap-TTL: ${wrapTtl}"`] : []),
    ...(data ? [`--data ${data}`] : method === "GET" ? [] : [`-X ${method}`]),
    `"$VAULT_ADDR/v1/${path}"`,
  ];
  const line = before + words.join(" ");
  return kept ? `${kept.name}="$(${line} | jq -r .${kept.from.join(".")})"` : line;
}

/** curl's --data, and what has to stand before curl. */
function dataOf(body: object | undefined): { before: string; data?: string } {
  if (body === undefined) return { before: "" };
  const names: string[] = [];
  const format = JSON.stringify(body, (_, part) => {
    if (!isName(part)) return part;
    names.push(part);
    return mark;
  });
  if (names.length === 0) return { before: "", data: shellWord(format) };
  const escaped = format.replaceAll(/[%\\]/g, "$&$&").replaceAll(mark, "%s");
  return {
    before: `printf ${shellWord(escaped)} ${names.map((name) => `"${name}"`).join(" ")} | `,
    data: "@-",
  };
}

/** Stands for a value while its place in the JSON is looked for; no text has this character. */
const mark = "\ue000";

const isLoopback = (hostname: string, ip: string) =>
  /(^|\.)localhost$/.test(hostname) && (ip.startsWith("127.") || ip === "::1");
