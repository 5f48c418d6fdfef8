import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { cacheDir } from "../offline/lib/cache-dir.ts";
import { lock } from "../offline/lib/lock.ts";
import { canInstallPackages, type DebianPackage, installPackages, missingPackages } from "./debian.ts";
import { chosenEngine, engineVersion } from "./engine/client.ts";
import { hasSysResource, machinePlace, type Stopped, startDockerd, stopDockerd } from "./engine/dockerd.ts";
import { raiseWatchLimits } from "./inotify.ts";
import { fileLog } from "./log.ts";
import { poll } from "./processes.ts";
import type { Say } from "./progress.ts";

const folder = () => join(cacheDir(), "engine");

/** What an engine of our own needs on Debian. jq is for the wrapper around runc. */
const enginePackages: DebianPackage[] = [
  { name: "docker.io", program: "dockerd" },
  { name: "docker.io", program: "docker" },
  { name: "iptables", program: "iptables" },
  { name: "jq", program: "jq" },
];

/**
 * Sees to it that a Docker engine answers, and says which. One that answers is used, whatever context it
 * belongs to. On Debian as root one is installed and started, otherwise the error says what to install.
 */
export async function bringEngine(say: Say): Promise<string> {
  raiseWatchLimits(say);
  const there = await engineVersion();
  if (there) return `Docker ${there}`;
  const chosen = await chosenEngine();
  if (chosen) {
    throw new Error(
      `The Docker engine of ${chosen} does not answer, and it was chosen on purpose, so no other is started.\n` +
        "Start that one, or choose this machine's: unset DOCKER_HOST; docker context use default",
    );
  }
  if (!canInstallPackages()) throw new Error(noEngine());
  // Two checkouts at once: the second one finds the engine of the first.
  const held = await lock(join(cacheDir(), "lock", "engine"), () => say.line("waiting for another set-up"));
  try {
    const meanwhile = await engineVersion();
    return meanwhile ? `Docker ${meanwhile}` : await installAndStart(say);
  } finally {
    await held.release();
  }
}

async function installAndStart(say: Say): Promise<string> {
  const missing = [...new Set(missingPackages(enginePackages))];
  if (missing.length > 0) {
    say.line(`no Docker engine answers: installing Debian's ${missing.join(", ")}`);
    await installPackages(missing, fileLog("apt.log"));
  }
  if (existsSync("/run/systemd/system")) {
    say.line("starting the service docker");
    await execa("systemctl", ["start", "docker"]);
    const version = await poll(() => engineVersion(), { forMs: 60_000 });
    if (version) return `Docker ${version}, its service was started`;
    throw new Error("The service docker was started and does not answer. It says why: journalctl -u docker");
  }
  const wrapped = hasSysResource() ? "" : ", with a wrapper around runc, as root here lacks CAP_SYS_RESOURCE";
  say.line(`starting dockerd${wrapped}; npm run down -- --all stops it`);
  return `Docker ${await startDockerd(machinePlace(folder()))}, started`;
}

/** Stops the engine that an earlier `up` of any checkout started, unless something still runs in it. */
export async function stopEngine(): Promise<Stopped> {
  return await stopDockerd(machinePlace(folder()));
}

function noEngine(): string {
  const how =
    process.platform === "darwin"
      ? "Install and start Docker Desktop: https://docs.docker.com/desktop/setup/install/mac-install/"
      : "Install one (https://docs.docker.com/engine/install/), start it, and see to it that `docker version` names a server as this user.\n" +
        "On Debian and what is made from it, root needs nothing: the set-up then installs and starts it.";
  return `No Docker engine answers here (tried: docker version).\n${how}`;
}
