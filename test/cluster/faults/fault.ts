import assert from "node:assert/strict";
import type { Verdict } from "../../../operate/status/status.ts";
import type { ClusterTools } from "../../support/cluster-tools.ts";

/** A fault that is made for real on a stack that stands, and what the doctor has to say of it. */
export interface Fault {
  title: string;
  make(): Promise<void>;
  /** Brings the cluster back, where it can be by the command that the finding names. */
  undo(): Promise<void>;
  expect: {
    id: string;
    /** Of the evidence, as "asked => answered" lines. */
    evidence: RegExp;
    /** Of the next commands, one a line. */
    next: RegExp;
    /** What it follows from; without, it has to be a root cause. */
    because?: RegExp;
    /** What npm run status says meanwhile. */
    verdict: Verdict;
  };
}

/** Makes the fault, has the doctor find it and the status judge it, and undoes it until the doctor finds nothing. */
export async function prove(tools: ClusterTools, { make, undo, expect }: Fault): Promise<void> {
  await make();
  try {
    // What is asked too soon is half made: a pod that is on its way to be sealed does not answer yet.
    const { finding, all } = await tools.looks.finding(
      ({ id, evidence, next, because }) =>
        id === expect.id &&
        expect.evidence.test(evidence.map(({ asked, answered }) => `${asked} => ${answered}`).join("\n")) &&
        expect.next.test(next.join("\n")) &&
        (expect.because ?? /^$/).test(because.join("\n")),
      `${expect.id} with ${expect.evidence}, ${expect.next} and ${expect.because ?? "no cause"}`,
    );
    assert.ok(finding.means.length > 0);
    const root = all.findings.findIndex(({ because }) => because.length === 0);
    assert.equal(root, 0, "no root cause stands first");
    const { answer } = await tools.looks.status();
    // Pods of an earlier fault were unsealed here, which Pulumi does not know: that alone is no part of this one.
    const others = answer.disagreements.filter(({ id }) => id !== "container-changed");
    const verdict = answer.verdict === "degraded" && others.length === 0 ? "healthy" : answer.verdict;
    assert.equal(verdict, expect.verdict, JSON.stringify(answer.disagreements, null, 2));
  } finally {
    await undo();
  }
  await tools.looks.healthy();
}
