import type { Settings } from "../../config.ts";
import type { ExplainedStep } from "./steps.ts";

/** A step, and whether the stack's state has it; undefined where there is no state to look at. */
export interface PlacedStep extends ExplainedStep {
  inState: boolean | undefined;
}

/** Says of each step whether the state, given as its resources' names, has all of it. */
export function placed(steps: ExplainedStep[], known: ReadonlySet<string> | undefined): PlacedStep[] {
  return steps.map((step) => ({
    ...step,
    inState: known && step.resources.every((name) => known.has(name)),
  }));
}

/** The explanation as shell: commands to type, and everything else in comments. */
export function explainText(stack: string, { vault }: Settings, steps: PlacedStep[]): string {
  const { replicas, shares, threshold, namespace } = vault;
  const head = comment(
    `Stack ${stack}: ${replicas} Vault node${replicas === 1 ? "" : "s"}, ${shares} share${shares === 1 ? "" : "s"}, threshold ${threshold}, namespace ${namespace}.`,
    "Every step in the order in which it runs: what you would type by hand, as in HashiCorp's tutorial,",
    "https://developer.hashicorp.com/vault/tutorials/kubernetes/kubernetes-minikube-raft",
    "and below it what npm run up does beyond that. Nothing is run by this command.",
  );
  return [head, ...steps.map((step, at) => stepText(step, at + 1))].join("\n\n").concat("\n");
}

function stepText({ title, byHand, here, trap, inState }: PlacedStep, number: number): string {
  const state = inState === undefined ? "" : inState ? " [in the state]" : " [not in the state]";
  return [
    comment(`${number}. ${title}${state}`),
    ...(byHand.length > 0 ? byHand : [comment("   (The tutorial has nothing to type here.)")]),
    ...here.map((line) => comment(...wrapped(line, "here: "))),
    ...(trap === undefined ? [] : [comment(...wrapped(trap, "trap: "))]),
  ].join("\n");
}

function comment(...lines: string[]): string {
  return lines.map((line) => `# ${line}`).join("\n");
}

/** A text in lines of at most 100 characters, the first after its label. */
function wrapped(text: string, label: string): string[] {
  const lines = [label];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last.length + word.length <= 100)
      lines[lines.length - 1] = `${last}${last.endsWith(" ") ? "" : " "}${word}`;
    else lines.push(`${" ".repeat(label.length)}${word}`);
  }
  return lines;
}
