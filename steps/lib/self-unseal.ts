/** Nodes that unseal themselves, by a seal: what is said where one does not. */
import { z } from "zod";
import { sealTypes } from "../../settings/seals.ts";
import { NotYet, StepError } from "./errors.ts";
import { kubectl, type Target } from "./target.ts";
import type { Vault } from "./vault.ts";
import type { SealStatus } from "./vault-answers.ts";
import type { VaultError } from "./vault-error.ts";

/** The seal in a step's input. */
export const sealType = z.enum(sealTypes);

/**
 * Why a node waits for its seal. Vault asks it again every five seconds (command/server.go), so this passes when the
 * seal is there.
 */
export async function sealedBySeal(
  { node }: Vault,
  { initialized, type }: SealStatus,
  lastWords?: (node: string) => Promise<string | undefined>,
): Promise<NotYet> {
  const words = await lastWords?.(node).catch(() => undefined);
  const said = words === undefined ? "" : `; its log: ${words}`;
  return new NotYet(
    `${node} is sealed (initialised: ${initialized}), and its seal ${type} has not unsealed it${said}`,
  );
}

/** A node runs with another seal than the stack has. No share is sent to it, and it is not initialised. */
export function unlikeSeal(
  pod: string,
  { type, initialized }: SealStatus,
  input: Pick<Target, "stack" | "stackDir" | "reach"> & { seal?: string | undefined },
): StepError {
  const wanted = input.seal ?? "shamir (key shares)";
  if (!initialized)
    return new StepError(
      `${pod} runs with the seal ${type}, and the stack's is ${wanted}: it was started before that was set. It holds nothing yet, and reads its configuration when it is started again`,
      kubectl(input, `delete pod ${pod}`),
    );
  return new StepError(
    `${pod} runs with the seal ${type}, and the stack's is ${wanted}. Nothing was changed. The seal of a Vault that is initialised is changed by a migration (docs/seal.md, Migration), and by no setting`,
    input.seal === undefined
      ? `pulumi config set vault.seal.type ${type} --stack ${input.stack}`
      : `pulumi config rm vault.seal.type --stack ${input.stack}`,
  );
}

/**
 * Whether Vault has refused shares because it could not ask its seal: with a seal it checks recovery shares by what only
 * the seal can decrypt, and answers 400 as for wrong ones.
 */
export function speaksOfSeal({ message }: VaultError): boolean {
  // Key shares are a seal, too, to Vault: one named shamir, or without a name.
  return sealTypes.some((type) => message.includes(`using seal ${type}`));
}

/** What is said then. */
export function sealAwayWords({ message }: Error): string {
  return `Vault asks its seal whether recovery shares are right, and the seal did not do it: ${message.replaceAll(/\s+/g, " ")}. Whether the shares are right is not known. Nothing was changed, and nothing is sealed.`;
}

/**
 * What a log says last of the seal, on one line: Vault's last words where it ends at its start, else its last warning.
 * Vault writes no token and no share into its log; what comes after 500 characters is left out.
 */
export function sealWords(log: string): string | undefined {
  const lines = log.split("\n");
  const at = lines.findLastIndex(
    (line) =>
      /^error (parsing|initializing|setting)\b.*\bseal/i.test(line) ||
      (/\[(ERROR|WARN)\]/.test(line) && /seal|kms|decrypt/i.test(line) && !/already unsealed/.test(line)),
  );
  if (at < 0) return undefined;
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => /^(\d{4}-\d\d-\d\dT|==>)/.test(line));
  const said = [lines[at] ?? "", ...rest.slice(0, end < 0 ? undefined : end)].map((line) => line.trim());
  return said
    .filter((line) => line !== "")
    .join(" ")
    .slice(0, 500);
}
