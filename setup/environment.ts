import { mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheDir } from "../offline/lib/cache-dir.ts";
import { checkout, local, makeLocalFolders } from "./folders.ts";
import { makePassphrase } from "./passphrase.ts";

/** Variables by name. */
export type Environment = Record<string, string>;

/** Makes what the environment points to: folders, the passphrase. Throws if the passphrase is lost. */
export function prepareEnvironment(): void {
  makeLocalFolders();
  makePassphrase(local.passphrase, local.state);
  mkdirSync(cacheDir(), { recursive: true });
}

/**
 * Variables for a shell in which `pulumi`, `kind` and `kubectl` work on this checkout by hand.
 * A backend, Pulumi home or passphrase of the user's own stays, unless it came from another checkout's
 * `npm run env` in the same shell. `closed`: plug-ins were built or are served here, so that Pulumi
 * need not look for one on the network; it then names a missing one at once.
 */
export function shellEnvironment(closed: boolean, given: NodeJS.ProcessEnv = process.env): Environment {
  const own = withoutOtherCheckout(given);
  const cache = cacheDir(own);
  const env: Environment = {
    VAULT_HA_CHECKOUT: checkout,
    VAULT_HA_CACHE: cache,
    PATH: searchPath(own.PATH ?? "", given.VAULT_HA_CHECKOUT),
    PULUMI_HOME: own.PULUMI_HOME || local.pulumiHome,
    PULUMI_BACKEND_URL: own.PULUMI_BACKEND_URL || `file://${local.state}`,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    HELM_CACHE_HOME: join(cache, "helm/cache"),
    HELM_CONFIG_HOME: join(cache, "helm/config"),
    HELM_DATA_HOME: join(cache, "helm/data"),
    KUBECACHEDIR: join(cache, "kube"),
    // Steps and Pulumi's programs load compiled packages: half of a step's start.
    NODE_COMPILE_CACHE: join(cache, "node-compile"),
  };
  // An empty passphrase is one, too, and people use it.
  if (own.PULUMI_CONFIG_PASSPHRASE === undefined) {
    env.PULUMI_CONFIG_PASSPHRASE_FILE = own.PULUMI_CONFIG_PASSPHRASE_FILE || local.passphrase;
  }
  if (closed) env.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = "true";
  return env;
}

/**
 * Variables for the programs this project starts itself: as in the shell, and whatever follows the XDG
 * rules writes into the cache folder too. (A user's shell keeps its XDG folders: they are not ours.)
 */
export function toolEnvironment(closed: boolean, given: NodeJS.ProcessEnv = process.env): Environment {
  const shell = shellEnvironment(closed, given);
  const cache = cacheDir(given);
  return {
    ...shell,
    npm_config_cache: join(cache, "npm"),
    XDG_CACHE_HOME: join(cache, "xdg/cache"),
    XDG_CONFIG_HOME: join(cache, "xdg/config"),
    XDG_DATA_HOME: join(cache, "xdg/data"),
    XDG_STATE_HOME: join(cache, "xdg/state"),
    GOCACHE: join(cache, "go/build"),
    GOMODCACHE: join(cache, "go/mod"),
  };
}

/** Shell text that sets the variables, for `eval "$(npm run -s env)"`. */
export function exportLines(env: Environment): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}

/** The tools' folders first, each folder once; another checkout's and what `npm run` adds left out. */
function searchPath(path: string, other: string | undefined): string {
  const first = [local.bin, join(checkout, "node_modules/.bin")];
  const rest = path.split(delimiter).filter((folder) => {
    const ofOther = other !== undefined && folder.startsWith(`${other}/`);
    const ofNpm = /\/(node_modules\/\.bin|node-gyp-bin)$/.test(folder);
    return folder !== "" && !first.includes(folder) && !ofOther && !ofNpm;
  });
  return [...first, ...new Set(rest)].join(delimiter);
}

/** Leaves out what another checkout's `npm run env` put into this shell. */
function withoutOtherCheckout(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const other = env.VAULT_HA_CHECKOUT;
  if (!other || other === checkout) return env;
  const isOther = ([name, value]: [string, string | undefined]) =>
    name.startsWith("PULUMI_") && value?.replace(/^file:\/\//, "").startsWith(`${other}/.local/`);
  return Object.fromEntries(Object.entries(env).filter((entry) => !isOther(entry)));
}
