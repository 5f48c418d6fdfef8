import { join } from "node:path";
import { execa } from "execa";
import type { Surroundings } from "../../operate/doctor/evidence/gather.ts";
import type { Inside } from "../../operate/doctor/evidence/inside.ts";
import type { VaultStack } from "./vault-stack.ts";

/** The inside of Vault processes is this machine. `through`: what a node's commands are run by, to cut it off. */
export function insideOf(
  stack: VaultStack,
  { through = {}, caFile }: { through?: Record<string, string[]>; caFile?: string } = {},
): Inside {
  const node = (name: string) => stack.nodes.nodes.find((each) => each.name === name) ?? stack.nodes.at(0);
  return {
    // One for all: a device of Vault's has one path, and these nodes share one machine.
    auditFolder: () => join(stack.nodes.folder, "audit"),
    dataFolder: (name) => join(node(name).folder, "data"),
    run: async (name, command, cancelSignal) => {
      const [program = "", ...args] = [...(through[name] ?? []), ...command];
      const env = caFile ? { VAULT_CACERT: caFile } : {};
      const { exitCode, stdout, stderr } = await execa(program, args, { cancelSignal, reject: false, env });
      if (exitCode === undefined) throw new Error(`${program} did not run`);
      return { exitCode, stdout, stderr };
    },
    log: (name) => node(name).log(15),
  };
}

/** What is around Vault processes: no lock of Pulumi's, and a state that holds the keys. */
export function surroundingsOf(stack: VaultStack, more: Partial<Surroundings> = {}): Surroundings {
  return {
    inside: insideOf(stack),
    locks: () => ({ dead: [], held: [] }),
    stateKeys: async () => (stack.token === "" ? undefined : { ...stack.keys, threshold: 3 }),
    ...more,
  };
}
