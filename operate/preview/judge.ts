/** Says what an update comes to. Plain data in, plain data out. */
import { type Consequence, type Explained, gravity, type Verdict } from "./consequence.ts";
import type { Plan } from "./plan.ts";
import { backupChange } from "./rules/backup.ts";
import { clusterAgain, clusterLoss, releaseLoss } from "./rules/cluster.ts";
import { controllerChange, vaultIngressChange, whoamiChange } from "./rules/edge.ts";
import { giveUpNote, identityChange } from "./rules/identity.ts";
import { keyNote, unseals } from "./rules/nodes.ts";
import { releaseChanges } from "./rules/release.ts";
import { replicasChange } from "./rules/replicas.ts";
import { keysAtTheEnd, raising, stepsAgain, unexplained } from "./rules/rest.ts";
import { sealChange, waitingForSeal } from "./rules/seal.ts";
import { monitorChange } from "./rules/telemetry.ts";
import { certificateChange, schemeChange } from "./rules/tls.ts";
import { downgrade } from "./rules/version.ts";

/**
 * What `npm run preview -- --json` prints. Fields may be added, none is renamed or removed without a word in the change
 * log. No field ever holds a share or a token.
 */
export interface Judgement {
  stack: string;
  /** That of the worst consequence. */
  verdict: Verdict;
  /** Whether `npm run up` goes on with it. */
  goesOn: boolean;
  /** The worst first. */
  consequences: Consequence[];
  /** What could not be found out, a sentence each. */
  unknown: string[];
  changes: { op: string; name: string; type: string }[];
}

type Rule = (plan: Plan) => Explained[];

/** What Vault is concerned by, as long as it stays. */
const inside: Rule[] = [
  downgrade,
  sealChange,
  waitingForSeal,
  releaseChanges,
  replicasChange,
  schemeChange,
  certificateChange,
  identityChange,
  unseals,
  keysAtTheEnd,
  monitorChange,
  backupChange,
  raising,
];

/** What is around it. */
const edge: Rule[] = [controllerChange, vaultIngressChange, whoamiChange];

/** A consequence names at most so many causes. */
const mostCauses = 6;

/** Judges an update by its worst consequence. */
export function judge(plan: Plan): Judgement {
  const consequences = [...explainedChanges(plan), ...keyNote(plan), ...giveUpNote(plan)]
    .toSorted((one, other) => gravity[other.verdict] - gravity[one.verdict])
    .map(({ covers: _, because, ...rest }) => ({ ...rest, because: shortened(because) }));
  return {
    stack: plan.stack,
    verdict: consequences[0]?.verdict ?? "safe",
    goesOn: consequences.every(({ refused }) => refused === undefined),
    consequences,
    unknown: plan.running.unknown,
    changes: plan.changes.map(({ op, name, type }) => ({ op, name, type })),
  };
}

function explainedChanges(whole: Plan): Explained[] {
  const cluster = clusterLoss(whole);
  const lost = cluster === undefined ? releaseLoss(whole) : [cluster];
  const explained = [...lost, ...(lost.length > 0 ? [] : clusterAgain(whole))];
  const covered = () => new Set(explained.flatMap(({ covers }) => covers));
  // What goes with something else has nothing to say of its own.
  const isCovered = covered();
  const plan = { ...whole, changes: whole.changes.filter(({ name }) => !isCovered.has(name)) };
  for (const rule of lost.length > 0 ? edge : [...inside, ...edge]) explained.push(...rule(plan));
  for (const rule of [stepsAgain, unexplained]) explained.push(...rule(plan, covered()));
  return explained;
}

const shortened = (causes: string[]) =>
  causes.length > mostCauses
    ? [...causes.slice(0, mostCauses), `${causes.length - mostCauses} more, as the diff shows`]
    : causes;
