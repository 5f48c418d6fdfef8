import { spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { findProgram } from "../find-program.ts";
import { identify, nameOf, type ProcessId, poll, stillRuns } from "../processes.ts";
import { duration } from "../progress.ts";
import { writeJson } from "../tools-record.ts";
import { engineVersion, runningContainers } from "./client.ts";

/** Where an engine lies. The defaults are dockerd's own; a test has a second engine elsewhere. */
export interface Place {
  /** Our own folder for its log, its wrapper and the note of what we started. */
  folder: string;
  socket: string;
  pidFile: string;
  /** Where its containerd leaves its number. */
  containerdPidFile: string;
  /** More flags for dockerd. */
  flags: string[];
}

/** The engine that any docker client on the machine finds by itself. */
export function machinePlace(folder: string): Place {
  return {
    folder,
    socket: "/var/run/docker.sock",
    pidFile: "/var/run/docker.pid",
    containerdPidFile: "/var/run/docker/containerd/containerd.pid",
    flags: [],
  };
}

const START_MS = 60_000;
const STOP_MS = 60_000;
const noteSchema = z.object({ pid: z.number(), started: z.string(), boot: z.string() });
const note = (place: Place) => join(place.folder, "engine.json");
const logFile = (place: Place) => join(place.folder, "dockerd.log");

/**
 * Starts dockerd so that it outlives this process, and waits until it answers. Whatever a killed engine
 * left behind (numbers of dead processes in its files) is removed first. Throws with the last lines of
 * its log. Gives the version.
 */
export async function startDockerd(place: Place, lacksSysResource = !hasSysResource()): Promise<string> {
  mkdirSync(place.folder, { recursive: true });
  const running = numberIn(place.pidFile);
  if (running !== undefined && nameOf(running) === "dockerd") return await waitForOther(place, running);
  await tidyUp(place);
  const flags = [`--host=unix://${place.socket}`, `--pidfile=${place.pidFile}`, ...place.flags];
  if (lacksSysResource) {
    flags.push(`--add-runtime=vault-ha=${placeWrapper(place)}`, "--default-runtime=vault-ha");
  }
  const log = openSync(logFile(place), "w", 0o600);
  const program = findProgram("dockerd") ?? "dockerd";
  const child = spawn(program, flags, { cwd: "/", detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  let ended: string | undefined;
  child.on("error", (error) => {
    ended = error.message;
  });
  child.on("exit", (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`;
  });
  // Noted at once: if we are killed while it starts, `npm run down -- --all` still knows it for ours.
  const id = child.pid === undefined ? undefined : identify(child.pid);
  if (id) writeJson(note(place), id);
  const version = await poll(async () => ended ?? (await engineVersion(`unix://${place.socket}`)), {
    forMs: START_MS,
  });
  child.unref();
  if (version !== undefined && ended === undefined) return version;
  rmSync(note(place), { force: true });
  if (ended === undefined) child.kill("SIGTERM");
  throw new Error(
    `dockerd was started and does not answer: ${ended ?? `nothing within ${duration(START_MS)}`}.\n` +
      `${lastLines(logFile(place))}\nWhole log: ${logFile(place)}`,
  );
}

/** Somebody else's dockerd runs: it may be starting. A second one beside it would not help. */
async function waitForOther(place: Place, pid: number): Promise<string> {
  const version = await poll(() => engineVersion(`unix://${place.socket}`), { forMs: START_MS });
  if (version) return version;
  throw new Error(
    `A Docker engine runs (dockerd, process ${pid}), but did not answer at ${place.socket} within ${duration(START_MS)}.\n` +
      `Look at its log, or end it and try again: kill ${pid}`,
  );
}

/** The dockerd that we started at this place and that still runs. */
export function ownDockerd(place: Place): ProcessId | undefined {
  if (!existsSync(note(place))) return undefined;
  const read = noteSchema.safeParse(JSON.parse(readFileSync(note(place), "utf8")));
  return read.success && stillRuns(read.data) && nameOf(read.data.pid) === "dockerd" ? read.data : undefined;
}

/** What came of the wish to stop our engine, for one line to the user. */
export interface Stopped {
  stopped: boolean;
  says: string;
}

/** Stops the engine if it is the very one that we started and nothing of others runs in it. */
export async function stopDockerd(place: Place): Promise<Stopped> {
  const own = ownDockerd(place);
  if (!own) return { stopped: false, says: "the Docker engine was not started by npm run up, it stays" };
  const foreign = await runningContainers(`unix://${place.socket}`);
  if (foreign.length > 0) {
    return { stopped: false, says: `the Docker engine stays: it runs ${foreign.join(", ")}` };
  }
  process.kill(own.pid, "SIGTERM");
  const gone = await poll(() => (stillRuns(own) ? undefined : true), { forMs: STOP_MS });
  if (!gone) throw new Error(`dockerd (process ${own.pid}) did not stop within ${duration(STOP_MS)}`);
  rmSync(note(place), { force: true });
  return { stopped: true, says: "the Docker engine that npm run up had started is stopped" };
}

/** Whether this process may raise limits, as dockerd's containers ask for: CAP_SYS_RESOURCE, bit 24. */
export function hasSysResource(status = readFileSync("/proc/self/status", "utf8")): boolean {
  const bits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return (BigInt(`0x${bits}`) & (1n << 24n)) !== 0n;
}

/** The engine outlives this checkout, so its wrapper lies in our folder of the cache. */
function placeWrapper(place: Place): string {
  const source = fileURLToPath(new URL("runc-wrap", import.meta.url));
  const to = join(place.folder, "runc-wrap");
  writeFileSync(`${to}.${process.pid}`, readFileSync(source));
  chmodSync(`${to}.${process.pid}`, 0o755);
  renameSync(`${to}.${process.pid}`, to);
  return to;
}

/**
 * Takes away what a killed engine left. dockerd does not start where its file holds the number of any
 * living process, and waits in vain where its containerd's does; a containerd that outlived its dockerd
 * is ended (its containers' own processes go on, and the next engine finds them).
 */
async function tidyUp(place: Place): Promise<void> {
  const containerd = numberIn(place.containerdPidFile);
  if (containerd !== undefined && nameOf(containerd) === "containerd") {
    process.kill(containerd, "SIGTERM");
    const gone = () => (nameOf(containerd) === undefined ? true : undefined);
    if (!(await poll(gone, { forMs: 10_000, everyMs: 50 }))) process.kill(containerd, "SIGKILL");
    await poll(gone, { forMs: 2_000, everyMs: 50 });
  }
  rmSync(place.containerdPidFile, { force: true });
  rmSync(place.pidFile, { force: true });
}

function numberIn(file: string): number | undefined {
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : Number.NaN;
  return pid > 0 ? pid : undefined;
}

function lastLines(file: string): string {
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-8).join("\n");
}
