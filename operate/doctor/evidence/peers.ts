import { peerName, type Road } from "../../../steps/lib/road.ts";
import type { Inside } from "./inside.ts";

/** How one node got on when it asked another for its state, under the address that a join uses. */
export interface PeerCall {
  from: string;
  to: string;
  /** The address, such as http://vault-0.vault-internal:8200. */
  address: string;
  /** The command that was run in the node. */
  command: string;
  outcome: "answered" | "name unknown" | "port closed" | "TLS refused" | "no answer";
  /** Vault's own words, of the program as a client; empty where it answered. */
  words: string;
}

/** How long a node may wait for another's answer. A name that is not known costs a resolver some seconds. */
const waitSeconds = 3;

/** Has a node ask another one. The vault program is a client, too, and surely in there: nslookup or curl may not be. */
export async function callPeer(
  inside: Inside,
  road: Pick<Road, "peerAddress">,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<PeerCall> {
  const address = road.peerAddress(to);
  const name = address.startsWith("https:") ? [`-tls-server-name=${peerName(to)}`] : [];
  const status = ["vault", "status", "-format=json", `-address=${address}`, ...name];
  const limits = ["VAULT_MAX_RETRIES=0", `VAULT_CLIENT_TIMEOUT=${waitSeconds}s`];
  const { exitCode, stderr } = await inside.run(from, ["env", ...limits, ...status], signal);
  // 0: unsealed, 2: sealed. Both have answered.
  const words = exitCode === 1 ? stderr.trim().replace(/\s+/g, " ") : "";
  return { from, to, address, command: status.join(" "), outcome: outcomeOf(words), words };
}

/** Sorts the words of Go's network and TLS libraries. */
export function outcomeOf(words: string): PeerCall["outcome"] {
  if (words === "") return "answered";
  if (/no such host|server misbehaving|Temporary failure in name resolution/i.test(words))
    return "name unknown";
  if (/x509:|tls:|HTTP response to HTTPS|HTTP request to an HTTPS/i.test(words)) return "TLS refused";
  if (/connection refused|connection reset/i.test(words)) return "port closed";
  return "no answer";
}
