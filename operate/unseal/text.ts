/** What `npm run unseal` says. */
import type { Given, NodeSeen } from "./give.ts";

/** As in "vault-1: 2 of 3 shares". */
export function nodeLine({ node, state, progress, threshold }: NodeSeen): string {
  if (state === "sealed")
    return threshold === 0
      ? `${node}: sealed, joining`
      : `${node}: sealed, ${progress} of ${threshold} shares`;
  return `${node}: ${{ unsealed: "unsealed", blank: "blank: it has not joined yet", silent: "does not answer" }[state]}`;
}

export function givenLine(given: Given, stack: string): string {
  const { node, came } = given;
  if (came === "counted") return `${node}: ${given.progress} of ${given.threshold} shares`;
  if (came === "known")
    return `${node}: has this share already; ${given.progress} of ${given.threshold} shares`;
  if (came === "unsealed") return `${node}: unsealed`;
  if (came === "unfit")
    return `${node}: this is no share of a Vault (${given.says}). The shares of the others are there still`;
  if (came === "unjoined")
    return `${node}: its join has to begin anew, because who leads has changed meanwhile. Delete its pod (kubectl delete pod ${node}), then: npm run up -- --stack ${stack}`;
  if (came === "spoiled")
    return `${node}: was ended in the middle of its join, and can neither go on nor join again in its store. Next: npm run doctor -- --stack ${stack}`;
  return `${node}: the shares that it was given do not open it, so at least one of them is wrong, or of before a rekey; which one, nobody can tell. It has forgotten them all: each holder gives theirs once more`;
}

/** How many more shares are wanted, at the sealed node that wants most; 0 where none is sealed. */
export function wanted(nodes: readonly NodeSeen[]): number {
  const sealed = nodes.filter(({ state }) => state === "sealed");
  return Math.max(0, ...sealed.map(({ progress, threshold }) => Math.max(1, threshold - progress)));
}
