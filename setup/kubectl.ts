import { execa } from "execa";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import type { Stack } from "./stack.ts";

/** Runs kubectl on a stack's cluster. A failure is the caller's to judge. */
export async function kubectl(stack: Stack, args: string[]) {
  const cluster = ["--kubeconfig", kubeconfigPath(stack.dir)];
  return await execa("kubectl", [...cluster, ...args], { env: stack.env, reject: false, stdin: "ignore" });
}
