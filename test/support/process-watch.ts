/** Reads the arguments and the environment of every process of this machine again and again, as `ps` could. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessWatch {
  /** Distinct texts seen so far. */
  seen(): string[];
  /** How many times the process list was read. */
  rounds(): number;
  stop(): void;
}

/** Begins to watch, every `everyMs`. What lives shorter than that can be missed; every step lives longer. */
export function watchProcesses(everyMs = 150): ProcessWatch {
  const texts = new Set<string>();
  let rounds = 0;
  const look = () => {
    rounds += 1;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
      for (const file of ["cmdline", "environ"]) {
        try {
          texts.add(readFileSync(`/proc/${pid}/${file}`, "utf8"));
        } catch {
          // The process has ended, or belongs to somebody else.
        }
      }
  };
  const timer = setInterval(look, everyMs);
  return { seen: () => [...texts], rounds: () => rounds, stop: () => clearInterval(timer) };
}
