import { commandsOf } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether another run works on the stack, or left its lock. */
export const atWork: Check = {
  looks: "locks of the stack: Pulumi's, and the steps' own",
  *find({ subject, files }) {
    const { up } = commandsOf(subject);
    const { locks, step } = files;
    if (locks.failed !== undefined) yield { notLooked: `Pulumi's locks: ${locks.failed}` };
    if (step.failed !== undefined) yield { notLooked: `the steps' lock: ${step.failed}` };
    const { dead = [], held = [] } = locks.value ?? {};
    const busy = [...held, ...(step.value ? [step.value] : [])];
    if (busy.length > 0)
      yield {
        id: "at-work",
        nodes: [],
        wrong: "somebody works on this stack right now",
        evidence: busy.map((answered) => ({ asked: "who holds the stack", answered })),
        means: "What is found below may be on its way to be well. Let it end, and look again.",
        next: [`npm run status -- --stack ${subject.stack}`],
      };
    if (dead.length > 0)
      yield {
        id: "lock-stale",
        nodes: [],
        wrong: "a pulumi that was killed left its lock on the stack",
        evidence: dead.map((answered) => ({ asked: "Pulumi's lock, whose process does not run", answered })),
        means: "pulumi by hand refuses to work on the stack. npm run up takes the lock away and goes on.",
        next: [up],
      };
  },
};
