import type { Explained } from "./causes.ts";
import { type Diagnosis, exitCodeOf } from "./diagnosis.ts";

/** The findings for people: each with its evidence, what it means and what to type. */
export function diagnosisText(diagnosis: Diagnosis): string {
  const { stack, findings, lookedAt, notLookedAt } = diagnosis;
  const roots = findings.filter(({ because }) => because.length === 0).length;
  return [
    ...findings.flatMap((finding, at) => [...paragraph(finding, at + 1), ""]),
    ...(notLookedAt.length > 0 ? ["Could not look at:", ...notLookedAt.map((each) => `  ${each}`), ""] : []),
    ...(exitCodeOf(diagnosis) === 0 ? ["Looked at:", ...lookedAt.map((each) => `  ${each}`), ""] : []),
    findings.length === 0
      ? `Stack ${stack}: nothing was found.`
      : `Stack ${stack}: ${findings.length} found, ${roots} of them a root cause. Nothing was changed.`,
    "",
  ].join("\n");
}

function paragraph(
  { id, wrong, since, evidence, means, next, because }: Explained,
  number: number,
): string[] {
  return [
    `${number}. ${wrong}   [${id}]`,
    ...(since ? [`   since     ${since}`] : []),
    ...(because.length > 0 ? [`   because   of ${because.join("; ")}`] : []),
    ...evidence.flatMap(({ asked, answered }) => [
      `   asked     ${asked}`,
      ...answered.split("\n").map((line, at) => `   ${at === 0 ? "answered" : "        "}  ${line}`),
    ]),
    `   means     ${means}`,
    ...next.map((line, at) => `   ${at === 0 ? "next" : "    "}      ${line}`),
  ];
}
