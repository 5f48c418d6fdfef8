/** What unseals the nodes: another seal is a migration, which no update does (steps/lib/seal-guard.ts). */
import { valueAt } from "../../../components/values-file.ts";
import { sealIn } from "../../../components/vault-seal.ts";
import { otherSealWords, putBack } from "../../../steps/lib/seal-guard.ts";
import { cause, type Explained } from "../consequence.ts";
import type { Plan } from "../plan.ts";

const config = "server.ha.raft.config";

/** Another seal, or another key of it, than an initialised Vault has. */
export function sealChange({ release, running, vault, stack, changes }: Plan): Explained[] {
  if (release === undefined || vault === undefined) return [];
  const [from, to] = [release.before, release.after].map((values) => sealIn(valueAt(values, config)));
  if (from === undefined || to === undefined || from.key === to.key) return [];
  const because = [cause("vault.seal", from.key, to.key)];
  const covers = changes
    .map(({ name }) => name)
    .filter((name) => /^(vault-(leave|seal)|lifecycle-(rollout|unseal-.*|verify|keys))$/.test(name));
  const now = running.seal;
  if (now?.key === to.key)
    return [
      {
        verdict: "safe",
        says: `The nodes were brought to another seal (${to.key}) by hand already: the settings follow.`,
        because,
        covers,
      },
    ];
  const is = now ?? from;
  return [
    {
      verdict: "destructive",
      says: `No node would be unsealed again: ${otherSealWords(is.key, to.key)}.`,
      because,
      covers,
      refused: {
        why: "Put the settings back; or migrate first, as docs/seal.md has it.",
        next: [putBack(is, to, stack)],
      },
    },
  ];
}

/** Nodes that wait for their seal: the update cannot unseal them. */
export function waitingForSeal({ running }: Plan): Explained[] {
  const waiting = running.nodes.filter(({ sealed, seal }) => sealed === true && seal !== undefined);
  if (waiting.length === 0) return [];
  const names = waiting.map(({ name }) => name).join(", ");
  return [
    {
      verdict: "disruptive",
      says: `${names} ${waiting.length === 1 ? "is" : "are"} sealed: the seal ${waiting[0]?.seal} has not unsealed ${waiting.length === 1 ? "it" : "them"}, and this update cannot. npm run doctor says why.`,
      because: ["what the nodes say, as they were asked just now"],
      covers: [],
    },
  ];
}
