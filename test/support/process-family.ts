import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** A process and all that it started, directly or not, from whichever of its threads. */
export async function family(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  const ids = children.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
  return [pid, ...(await Promise.all(ids.map(family))).flat()];
}

/** The command line of a process, its arguments separated by blanks; "" where there is none. */
export async function commandLine(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.replaceAll("\0", " ").trim();
}

/** Waits until a process of the family has such a command line; undefined where the family ends before. */
export async function seen(root: number, wanted: RegExp): Promise<number | undefined> {
  for (;;) {
    const all = await family(root);
    for (const pid of all) if (wanted.test(await commandLine(pid))) return pid;
    if ((await commandLine(root)) === "") return undefined;
    await sleep(10);
  }
}
