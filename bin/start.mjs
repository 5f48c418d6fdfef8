#!/usr/bin/env node
// Starts commands/<name>.ts on the Node that package-lock.json pins, and brings the packages first.
// Plain JavaScript without packages: it runs before there are any, on any Node from 20 on.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(checkout, "node_modules", ".lock-stamp");
const pinnedNode = join(checkout, "node_modules", "node", "bin", "node");
const OLDEST_NODE = 20;

function fail(code, ...lines) {
  console.error(lines.join("\n"));
  process.exit(code);
}

function commandNames() {
  return readdirSync(join(checkout, "commands"))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -3))
    .sort();
}

/** The same folder as cacheDir() of offline/lib/cache-dir.ts. */
function cacheDir() {
  const { VAULT_HA_CACHE, XDG_CACHE_HOME } = process.env;
  return VAULT_HA_CACHE
    ? resolve(VAULT_HA_CACHE)
    : join(XDG_CACHE_HOME || join(homedir(), ".cache"), "vault-ha");
}

/** What node_modules was made from: another lock file, system or processor asks for a new one. */
function wantedStamp() {
  const lock = readFileSync(join(checkout, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}\n`;
}

function packagesAreThere() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === wantedStamp();
}

/** Runs a program, hands signals on to it, and gives its exit code (128 + signal, as shells do). */
function run(program, args, options, onStart = () => {}) {
  return new Promise((ended, reject) => {
    const child = spawn(program, args, options);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    // A terminal gives Ctrl-C to the child as well; setup/interrupt.ts takes the two for one.
    const handOn = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, handOn);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const name of signals) process.off(name, handOn);
      ended(signal ? 128 + constants.signals[signal] : code);
    });
    onStart(child);
  });
}

/** The npm that started us, so that its version and settings are the user's; else the one on PATH. */
function npmCommand(args) {
  const own = process.env.npm_execpath;
  return own?.endsWith("npm-cli.js") ? [process.execPath, [own, ...args]] : ["npm", args];
}

async function bringPackages() {
  const started = Date.now();
  const took = () => `${Math.round((Date.now() - started) / 1000)} s`;
  console.error("packages: npm ci, as package-lock.json has them");
  const ticker = setInterval(() => console.error(`packages: npm ci … ${took()}`), 15_000);
  // The stamp goes first: whatever interrupts npm from here on, the next start sees it.
  rmSync(stampFile, { force: true });
  let output = "";
  const [program, args] = npmCommand(["ci", "--include=dev", "--no-progress", "--loglevel=error"]);
  // Where an older npm runs the install scripts of Pulumi packages, they fetch plug-ins: into our folder.
  const PULUMI_HOME = process.env.PULUMI_HOME || join(checkout, ".local/pulumi-home");
  const env = {
    ...process.env,
    PULUMI_HOME,
    npm_config_cache: join(cacheDir(), "npm"),
    npm_config_global: "false",
  };
  const code = await run(
    program,
    args,
    { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe"] },
    (child) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (data) => {
          output += data;
        });
      }
    },
  ).catch((error) => {
    output += error.message;
    return 1;
  });
  clearInterval(ticker);
  if (code > 128) process.exit(code);
  if (code !== 0) {
    fail(1, output.trim(), `packages: npm ci failed after ${took()}. Its words are above; try again: npm ci`);
  }
  writeFileSync(stampFile, wantedStamp());
  console.error(`packages: there after ${took()}`);
}

/** One npm ci at a time in a checkout: a second start waits for the first one's. */
async function bringPackagesAlone() {
  const lock = join(checkout, ".local", "npm-ci.lock");
  mkdirSync(join(checkout, ".local"), { recursive: true, mode: 0o700 });
  for (let said = false; ; said = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      const holder = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
      if (!isAlive(holder)) rmSync(lock, { force: true });
      else {
        if (!said) console.error(`packages: process ${holder} is bringing them, waiting for it`);
        await new Promise((waited) => setTimeout(waited, 300));
      }
    }
  }
  process.on("exit", () => rmSync(lock, { force: true }));
  if (!packagesAreThere()) await bringPackages();
  rmSync(lock, { force: true });
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
  fail(
    1,
    `This is Node ${process.versions.node}; the set-up starts on ${OLDEST_NODE} or newer (the program then brings its own).`,
    "Install a newer one, from https://nodejs.org or your system's packages, and try again.",
  );
}
const [name, ...args] = process.argv.slice(2);
const names = commandNames();
if (!name || !names.includes(name)) {
  const given = name ? `There is no command "${name}". ` : "";
  fail(
    2,
    `${given}Commands, each with --help:`,
    ...names.map((each) => (each === "test" ? "  npm test" : `  npm run ${each}`)),
  );
}
if (!packagesAreThere()) await bringPackagesAlone();
if (!existsSync(pinnedNode)) {
  fail(
    1,
    "The package `node`, which brings the pinned Node, has no program in it: npm did not run its install script.",
    "Allow that one script (npm config get ignore-scripts tells whether all are off):",
    "  npm rebuild node --ignore-scripts=false",
    `and then again: ${name === "test" ? "npm test" : `npm run ${name}`}`,
  );
}
const env = { ...process.env };
// Node's own fetch goes through a proxy only when told to.
if (env.HTTPS_PROXY || env.https_proxy || env.HTTP_PROXY || env.http_proxy) env.NODE_USE_ENV_PROXY ??= "1";
process.exit(
  await run(pinnedNode, [join(checkout, "commands", `${name}.ts`), ...args], { env, stdio: "inherit" }),
);
