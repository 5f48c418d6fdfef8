import type { Step } from "./io.ts";
import type { Vault } from "./vault.ts";

/** Vault's own server_stabilization_time: how long a new server must be healthy before it may vote. */
const usual = "10s";

/** While a cluster without data is formed there is nothing that a hasty voter could harm. Vault counts whole seconds here. */
const whileForming = "1s";

/** What every Vault mounts by itself. More than these means that the cluster is in use. */
const builtInEngines = ["cubbyhole/", "identity/", "sys/"];
const builtInAuth = ["token/"];

/**
 * Lets autopilot give new servers their vote sooner, if the cluster is being formed: one server, and nothing
 * mounted by anybody. In doubt it stays as it is. `restorePromotion` puts it back.
 */
export async function quickenPromotion(member: Vault, step: Step): Promise<void> {
  const servers = await member.raftServers();
  if (servers.length > 1) return;
  const { engines, auth } = await member.mounts();
  const used = [
    ...engines.filter((path) => !builtInEngines.includes(path)),
    ...auth.filter((path) => !builtInAuth.includes(path)),
  ];
  if (used.length > 0) {
    step.say(
      `the cluster is in use (${used.join(", ")}), so a new server gets its vote after Vault's usual ${usual}`,
    );
    return;
  }
  await member.setAutopilot({ server_stabilization_time: whileForming });
  step.say(
    `nothing is stored yet: server_stabilization_time is ${whileForming} until verify puts ${usual} back`,
  );
}

/**
 * Puts server_stabilization_time back, also what a killed run left behind, and reads it back. A longer time than
 * Vault's own is somebody's choice and stays.
 */
export async function restorePromotion(member: Vault, step: Step): Promise<void> {
  const before = (await member.autopilot()).server_stabilization_time;
  if (seconds(before) >= seconds(usual)) return;
  await member.setAutopilot({ server_stabilization_time: usual });
  const after = (await member.autopilot()).server_stabilization_time;
  if (seconds(after) !== seconds(usual)) {
    throw new Error(`server_stabilization_time was set to ${usual}, and reads ${after}`);
  }
  step.say(`server_stabilization_time is ${usual} again (it was ${before})`);
}

/** Seconds of a duration as Vault writes it: "1m30s", "500ms", "10s". */
export function seconds(duration: string): number {
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 1e-3, µs: 1e-6, us: 1e-6, ns: 1e-9 };
  let sum = 0;
  for (const [, number, unit] of duration.matchAll(/([\d.]+)(h|ms|µs|us|ns|m|s)/g)) {
    sum += Number(number) * (units[unit ?? ""] ?? Number.NaN);
  }
  return sum;
}
