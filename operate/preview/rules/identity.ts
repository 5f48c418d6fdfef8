/** Another cluster, store or Vault than the stack knows, as the step `identity` and `verify` judge it. */
import { computed } from "../change.ts";
import { type Explained, inRow } from "../consequence.ts";
import type { Plan } from "../plan.ts";

type Facts = Record<string, string>;

/** No setting causes it: it was done to the cluster. */
const foundThere = ["what is found in the cluster, as it was asked just now"];

/** What is found in the place of what is known: refused unless vault.giveUp names it. */
export function identityChange(plan: Plan): Explained[] {
  const identity = factsOf(plan, "lifecycle-identity");
  const verify = factsOf(plan, "lifecycle-verify");
  const found: Explained[] = [];
  if (differ(identity.known.KUBERNETES, identity.found.KUBERNETES))
    found.push({
      verdict: "destructive",
      says: `This is another Kubernetes cluster than the stack's. ${between(identity.known.KUBERNETES, identity.found.KUBERNETES)}.`,
      because: foundThere,
      covers: ["lifecycle-identity"],
      refused: {
        why: "Does the kubeconfig point at the right cluster?",
        next: [plan.commands.kubectl("cluster-info")],
      },
    });
  const [stores, now] = [storesIn(identity.known.STORES), storesIn(identity.found.STORES)];
  const others = [
    ...Object.entries(stores).map(([pod, known]) => ({
      what: `${pod} runs on another store than the stack knows.`,
      known,
      is: now[pod],
    })),
    {
      what: "Another Vault answers than the stack knows.",
      known: verify.known.VAULT ?? "",
      is: verify.found.VAULT,
    },
  ].filter(({ known, is }) => differ(known, is));
  const { giveUp } = plan.settings.vault;
  const lost = others.map(({ known }) => known).filter((known) => !giveUp.includes(known));
  for (const { what, known, is } of others) {
    const isGivenUp = giveUp.includes(known);
    found.push({
      verdict: "destructive",
      says: `${what} ${between(known, is)}.${isGivenUp ? " The known one is given up: what it held is lost." : ""}`,
      because: foundThere,
      covers: ["lifecycle-identity", "lifecycle-verify"],
      ...(!isGivenUp && {
        refused: {
          why: "Bring the known one back. Or, where the others still have its data, or it is lost for good, give it up; npm run doctor says what comes first.",
          // The stack refuses as long as one is not the known one, so one command gives all of them up.
          next: [plan.commands.giveUp(lost), plan.commands.up],
        },
      }),
    });
  }
  return found;
}

/** What vault.giveUp still names, though nothing of it is lost by this update. */
export function giveUpNote(plan: Plan): Explained[] {
  const { giveUp } = plan.settings.vault;
  const inUse = [plan.vault?.clusterId ?? "", ...Object.values(plan.vault?.stores ?? {})];
  const named = giveUp.filter((id) => inUse.includes(id));
  const lost = identityChange(plan)
    .map(({ says }) => says)
    .join(" ");
  const idle = named.filter((id) => !lost.includes(id));
  if (idle.length === 0 || plan.changes.some(({ name, op }) => name === "cluster-create" && op === "replace"))
    return [];
  return [
    {
      verdict: "safe",
      says: `vault.giveUp names ${inRow(idle)}, which is in use: its loss would not be refused. Take it out: pulumi config rm vault.giveUp --stack ${plan.stack}`,
      because: [`vault.giveUp: ${giveUp.join(",")}`],
      covers: [],
    },
  ];
}

function factsOf({ changes }: Plan, name: string): { known: Facts; found: Facts } {
  const change = changes.find((each) => each.name === name && each.op === "update");
  const of = (inputs: Record<string, unknown> | undefined) => (inputs?.environment ?? {}) as Facts;
  return { known: of(change?.before), found: of(change?.after) };
}

/** "vault-0=<UID> vault-1=<UID>" */
function storesIn(text = ""): Facts {
  return Object.fromEntries(
    text
      .split(" ")
      .filter((each) => each.includes("="))
      .map((each) => each.split("=") as [string, string]),
  );
}

function differ(known: string | undefined, found: string | undefined): boolean {
  const told = (id: string | undefined) =>
    id !== undefined && id !== "" && id !== "unknown" && id !== computed;
  return told(known) && told(found) && known !== found;
}

const between = (known: string | undefined, found: string | undefined) => `Known: ${known}; found: ${found}`;
