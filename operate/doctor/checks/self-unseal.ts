import { sealWords } from "../../../steps/lib/self-unseal.ts";
import { sealOf } from "../../open-vault.ts";
import { listed } from "../../status/names.ts";
import { commandsOf } from "../../views/commands.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Check } from "../finding.ts";

/** Whether nodes that unseal themselves reach their seal. */
export const selfUnseal: Check = {
  looks: "whether nodes that unseal themselves reach their seal",
  *find(evidence) {
    const { subject, vault } = evidence;
    const { kubectl } = commandsOf(subject);
    const waiting = subject.pods.filter((node) => isWaiting(evidence, node));
    if (waiting.length === 0) return;
    const seals = [...new Set(waiting.flatMap((node) => vault[node]?.value?.seal ?? []))];
    const [seal = sealOfConfiguration(evidence)] = seals;
    yield {
      id: "seal-not-reached",
      nodes: waiting,
      wrong: `the seal${seal === undefined ? "" : ` ${seal}`} cannot be reached by ${listed(waiting)}, or does not take their login`,
      evidence: waiting.map((node) => ({
        asked: `last words of ${node} about its seal`,
        answered: wordsOf(evidence, node) ?? "none that could be read",
      })),
      means: `Nodes that run go on without their seal; one that is started anew stays sealed, or is ended again and again, until the seal answers. No share unseals it, and nothing is lost. Vault's words say which it is: not reached (address, network, name), refused (token, login, policy), or another key.`,
      next: [
        ...(seal === "transit"
          ? ["# does the other Vault answer, unsealed, where vault.seal.address says?"]
          : []),
        kubectl(`logs ${waiting[0]} --tail 20`),
        kubectl("get secrets"),
        "# a login that was changed in the Secret is read when a node is started anew; docs/seal.md, When the seal is away",
        kubectl(`delete pod ${waiting.join(" ")}`),
      ],
    };
  },
};

/** Sealed though it unseals itself, or ended with words about its seal. */
function isWaiting(evidence: Evidence, node: string): boolean {
  const { value } = evidence.vault[node] ?? {};
  if (value !== undefined) return value.initialised && value.sealed && value.seal !== undefined;
  return sealOfConfiguration(evidence) !== undefined && wordsOf(evidence, node) !== undefined;
}

function wordsOf({ logs }: Evidence, node: string): string | undefined {
  return sealWords(logs[node]?.value ?? "");
}

/** The seal of the stack's release, as Pulumi's state has it; undefined where key shares unseal the nodes. */
const sealOfConfiguration = ({ subject }: Evidence) => sealOf(subject.resources);
