import { type Explained, explain } from "./causes.ts";
import { checks } from "./checks.ts";
import type { Evidence } from "./evidence/evidence.ts";
import type { Finding } from "./finding.ts";

/**
 * What `npm run doctor -- --json` prints. Fields may be added, none is renamed or removed without a word in the change
 * log. No field ever holds a share or a token.
 */
export interface Diagnosis {
  stack: string;
  /** Root causes first, then what follows from them. */
  findings: Explained[];
  /** What was looked at, in the order of the looking. */
  lookedAt: string[];
  /** What could not be looked at, and why. */
  notLookedAt: string[];
}

/** Exit code of `npm run doctor`: 0 everything was looked at and nothing found, 1 otherwise. */
export function exitCodeOf({ findings, notLookedAt }: Diagnosis): number {
  return findings.length + notLookedAt.length > 0 ? 1 : 0;
}

/** Has every check look at the evidence. */
export function diagnose(evidence: Evidence): Diagnosis {
  const answers = checks.flatMap((check) => [...check.find(evidence)]);
  const findings = answers.filter((answer): answer is Finding => "id" in answer);
  return {
    stack: evidence.subject.stack,
    findings: explain(findings),
    lookedAt: checks.map(({ looks }) => looks),
    notLookedAt: answers.flatMap((answer) => ("notLooked" in answer ? [answer.notLooked] : [])),
  };
}
