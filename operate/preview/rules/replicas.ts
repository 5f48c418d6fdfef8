/** Nodes that join, and nodes that leave. */
import { type Values, valueAt } from "../../../components/values-file.ts";
import { podNames } from "../../../steps/lib/road.ts";
import { cause, type Explained, inOrder } from "../consequence.ts";
import type { Plan } from "../plan.ts";

/** Of 2n+1 voters n may fail. */
const tolerance = (voters: number) => Math.floor((voters - 1) / 2);

/** Another number of nodes, on a cluster that stays. */
export function replicasChange(plan: Plan): Explained[] {
  if (plan.release === undefined) return [];
  const { before, after } = plan.release;
  const replicas = (values: Values) => Number(valueAt(values, "server.ha.replicas") ?? 3);
  const [from, to] = [replicas(before), replicas(after)];
  if (from === to) return [];
  const because = [cause("vault.replicas", from, to)];
  const touched = podNames(Math.max(from, to)).slice(Math.min(from, to));
  const own = plan.changes.filter(({ name }) => touched.some((pod) => name.endsWith(`-${pod}`)));
  const names = plan.changes.map(({ name }) => name);
  const covers = [
    ...own.map(({ name }) => name),
    ...names.filter((name) =>
      /^(vault-(release|leave)|lifecycle-(identity|rollout|verify|unseal-.*))$/.test(name),
    ),
  ];
  const may = (voters: number) => `${tolerance(voters)} may fail`;
  if (to > from) {
    const one = touched.length === 1;
    return [
      {
        verdict: "safe",
        says: `${inOrder(touched)} ${one ? "joins" : "join, one at a time"}: ${count(touched.length, "join")}, ${count(touched.length, "unseal")}. Of ${to} voters ${may(to)} (of ${from} now, ${tolerance(from)}).`,
        because,
        covers,
      },
    ];
  }
  // As the step `leave` takes them: the highest number first, one that leads last (steps/lib/leave.ts).
  const leader = plan.running.nodes.find(({ name, leads }) => leads === true && touched.includes(name));
  const others = touched.toReversed().filter((name) => name !== leader?.name);
  const leaving = [...others, ...(leader === undefined ? [] : [leader.name])];
  const handsOver = leader === undefined ? "" : ` ${leader.name} leads, and hands over first.`;
  const left = to === 1 ? "1 voter remains, and it may not fail" : `${to} voters remain, of which ${may(to)}`;
  return [
    {
      verdict: "disruptive",
      says: `${inOrder(leaving)} ${leaving.length === 1 ? "leaves" : "leave"} the Raft cluster, one at a time, before their pods end.${handsOver} ${left} (of ${from} now, ${tolerance(from)}). Their volumes go with their pods.`,
      because,
      covers,
    },
  ];
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
