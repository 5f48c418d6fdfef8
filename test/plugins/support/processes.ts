import { readdirSync, readFileSync } from "node:fs";

/** A living process. Linux only, as the closed network is. */
export interface Process {
  id: number;
  parent: number;
  group: number;
  commandLine: string;
}

/** All living processes; zombies do not live. */
export function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
}

/** A process and all that descend from it. */
export function familyOf(id: number): Process[] {
  const all = processes();
  const family = all.filter((one) => one.id === id);
  for (const member of family) family.push(...all.filter(({ parent }) => parent === member.id));
  return family;
}

function processOf(id: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, "utf8");
    // The name stands in brackets and may hold anything, so the fields count from its end: proc(5).
    const [state, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const commandLine = readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return { id, parent: Number(parent), group: Number(group), commandLine };
  } catch {
    return undefined; // It has ended meanwhile.
  }
}
