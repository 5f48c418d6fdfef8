import { relative } from "node:path";
import { checkout } from "../../setup/folders.ts";
import { shellWord } from "../../setup/shell-word.ts";
import { table } from "../../setup/summary.ts";
import { RaftConfiguration } from "../../steps/lib/vault-answers.ts";
import { mask } from "./mask.ts";
import { type Place, partsOf } from "./place.ts";
import type { Told } from "./take-step.ts";

/** What stands above the steps: how to set up a shell in which their lines can be typed. No value is in it. */
export function headText(stack: string, place: Place): string {
  const { hostname } = partsOf(place);
  const trust = place.caFile && `export VAULT_CACERT="$PWD/${relative(checkout, place.caFile)}"`;
  const secret = '"$(head -c 12 /dev/urandom | base64)"';
  return [
    `A tour of Vault's API at ${place.address}.`,
    "",
    "To type the lines yourself, prepare a shell in this folder:",
    "",
    '  eval "$(npm run -s env)"',
    `  export VAULT_ADDR=${place.address}`,
    ...(trust ? [`  ${trust}`] : []),
    `  export VAULT_TOKEN="$(pulumi stack output rootToken --show-secrets --stack ${shellWord(stack)})"`,
    `  SECRET=${secret} NEW_SECRET=${secret}`,
    '  PLAINTEXT="$(printf %s "$SECRET" | base64)"',
    "",
    `What is secret is shown as ${mask}, and of an answer what is worth seeing. The curl lines that keep a value use jq.`,
    ...(hostname.endsWith(".localhost")
      ? [
          `curl takes ${hostname} for this machine by itself; vault asks the system, which may want it in /etc/hosts.`,
        ]
      : []),
    "curl is given the token as an argument, which other users of this machine can see; vault reads it from the environment.",
    "What you make by them and do not remove, the next tour removes.",
    "",
  ].join("\n");
}

/** A step, what to type for it, and what came back. */
export function stepText(
  { name, says, curl, cli, status, answer }: Told,
  number: number,
  of: number,
): string {
  const came = answer === null ? `${status}, no content` : [String(status), ...answerLines(answer)];
  return [`[${number}/${of}] ${name}`, says, "", curl, cli, "", came, ""]
    .flat()
    .map((line, at) => (at < 2 || line === "" ? line : `  ${line}`))
    .join("\n")
    .concat("\n");
}

function answerLines(answer: unknown): string[] {
  const raft = RaftConfiguration.safeParse(answer);
  if (!raft.success) return JSON.stringify(answer, null, 2).split("\n");
  const rows = raft.data.data.config.servers.map(({ node_id, address, leader, voter }) => [
    node_id,
    address,
    leader ? "leader" : "follower",
    voter ? "yes" : "no",
  ]);
  return table(["node", "address", "state", "voter"], rows);
}
