/** Reads the arguments and the environment of every process of this machine again and again, as `ps` could. */
import { readdirSync, readFileSync, statSync } from "node:fs";

export interface ProcessWatch {
  /** Distinct texts seen so far. */
  seen(): string[];
  /** Files of this user's processes that could not be read, of those that began since. */
  unreadable(): string[];
  /** How many times the process list was read. */
  rounds(): number;
  stop(): void;
}

/** Begins to watch, every `everyMs`. What lives shorter than that can be missed; every step lives longer. */
export function watchProcesses(everyMs = 150): ProcessWatch {
  const texts = new Set<string>();
  const unreadable = new Set<string>();
  let rounds = 0;
  const running = () => readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  /** Of no interest where they cannot be read: they are nobody's whom the watch is for. */
  const before = new Set(running());
  const read = (pid: string, file: string): string => {
    const path = `/proc/${pid}/${file}`;
    try {
      const text = readFileSync(path, "utf8");
      texts.add(text);
      return text;
    } catch (error) {
      // The process has ended, or belongs to somebody else.
      const ended = ["ENOENT", "ESRCH"].includes(`${(error as NodeJS.ErrnoException).code}`);
      if (!ended && !before.has(pid) && isOwn(path)) unreadable.add(path);
      return "";
    }
  };
  /** Both are set when a program begins; reading all of them each time costs half a core. */
  const known = new Map<string, string>();
  const look = () => {
    rounds += 1;
    for (const pid of running()) {
      const arguments_ = read(pid, "cmdline");
      if (known.get(pid) === arguments_) continue;
      known.set(pid, arguments_);
      read(pid, "environ");
    }
  };
  const timer = setInterval(look, everyMs);
  return {
    seen: () => [...texts],
    unreadable: () => [...unreadable],
    rounds: () => rounds,
    stop: () => clearInterval(timer),
  };
}

function isOwn(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.geteuid?.();
}
