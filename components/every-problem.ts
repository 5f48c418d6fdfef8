import * as pulumi from "@pulumi/pulumi";

/**
 * What each of these gives. Where some of them refuse (RunError), the others are asked all the same, and one error has
 * the words of all that did: nobody has to mend one file to learn of the next.
 */
export async function everyProblem<T extends readonly unknown[]>(
  ...asked: { [K in keyof T]: () => T[K] | Promise<T[K]> }
): Promise<T> {
  const ended = await Promise.allSettled(asked.map(async (ask) => await ask()));
  const reasons = ended.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  const other = reasons.find((reason) => !pulumi.RunError.isInstance(reason));
  if (other !== undefined) throw other;
  if (reasons.length > 0)
    throw new pulumi.RunError(reasons.map((reason) => (reason as pulumi.RunError).message).join("\n"));
  return ended.map((end) => (end.status === "fulfilled" ? end.value : undefined)) as unknown as T;
}
