import type { Subject } from "../../operate/views/subject.ts";
import type { Resource } from "../../setup/stack.ts";
import { Target } from "../../steps/lib/target.ts";
import type { VaultStack } from "./vault-stack.ts";

/**
 * The lifecycle's resources as the state has them after `up` ran to its end; with the containers it unsealed, and the
 * identity it pinned.
 */
export function stateOf(
  pods: readonly string[],
  containers: Record<string, string> = {},
  pinned: { KUBERNETES?: string; STORES?: string } = {},
  peers: object[] = [],
): Resource[] {
  const resource = (noun: string, inputs = {}): Resource => ({
    urn: `urn:pulumi:dev::vault-ha::command:local:Command::lifecycle-${noun}`,
    type: "command:local:Command",
    inputs,
  });
  const unseal = (pod: string) =>
    resource(`unseal-${pod}`, containers[pod] && { environment: { CONTAINER: containers[pod] } });
  const [first = "", ...others] = pods;
  return [
    {
      urn: "urn:pulumi:dev::vault-ha::pulumi:pulumi:Stack::dev",
      type: "pulumi:pulumi:Stack",
      outputs: { peers },
    },
    resource("identity", { environment: pinned }),
    resource(`init-${first}`),
    unseal(first),
    ...others.flatMap((pod) => [resource(`join-${pod}`), unseal(pod), resource(`voter-${pod}`)]),
    resource("verify"),
  ];
}

/** Vault processes as the operator's commands look at them. */
export function subjectOf(stack: VaultStack, more: Partial<Subject> = {}): Subject {
  const pods = more.pods ?? stack.pods;
  return {
    stack: "dev",
    stackDir: stack.stackDir,
    resources: stateOf(pods),
    pods,
    clusters: [],
    target: Target.parse(stack.target()),
    keys: async () => (stack.token === "" ? undefined : { ...stack.keys, threshold: 3 }),
    host: () => "vault.localhost",
    ...more,
  };
}
