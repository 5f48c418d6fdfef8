/**
 * One stack on one real cluster for all tests of test/cluster that need one that stands. Their files run in the order
 * of their names, and each test goes on where the one before it ended.
 */
import { existsSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { execa } from "execa";
import { checkout } from "../../setup/folders.ts";
import { poll } from "../../setup/processes.ts";
import { containerIdentities } from "../../steps/lib/pods.ts";
import { authorityPath } from "../../steps/lib/tls-secret.ts";
import { ClusterTools } from "./cluster-tools.ts";
import { SecretScan } from "./secret-scan.ts";
import { makeTestStack, removeTestStack, type TestStack } from "./test-stack.ts";

export const minutes = 60_000;
export const pods = ["vault-0", "vault-1", "vault-2"];

class SharedStack {
  /** What is done to the cluster by hand. */
  readonly tools: ClusterTools;
  readonly test: TestStack;
  /** Looks at what runs and at what is printed from the begin on. */
  readonly scan: SecretScan;
  /** Everything that was printed: by Pulumi, its plug-ins, the steps and the commands. */
  log = "";

  constructor(test: TestStack, scan: SecretScan) {
    this.test = test;
    this.scan = scan;
    this.tools = new ClusterTools(test.name, pods);
  }

  readonly keep = (text: string): void => {
    this.log += text;
    this.scan.keep(text);
  };

  /** Runs one of commands/ as npm does, on this stack. */
  async command(name: string, ...args: string[]) {
    const ran = execa(process.execPath, [`commands/${name}.ts`, ...args, "--stack", this.test.name], {
      cwd: checkout,
      reject: false,
      all: true,
      stdin: "ignore",
    });
    const ended = await ran;
    this.keep(ended.all);
    return ended;
  }

  /** The journal of the stack's Vault. */
  keys(): { shares: string[]; rootToken: string } {
    return JSON.parse(readFileSync(join(this.test.stackDir, "vault-init.json"), "utf8")).answer;
  }

  kubeconfig(): string {
    return readFileSync(join(this.test.stackDir, "kubeconfig"), "utf8");
  }

  containers(waitSeconds = 0): Promise<Record<string, string>> {
    return containerIdentities(this.kubeconfig(), "vault", pods, { waitSeconds });
  }

  /** One GET at Vault's address on this machine, with the root token, while it speaks HTTP. */
  async vault(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`http://127.0.0.1:${this.test.ports.vault}/v1/${path}`, {
      headers: { "X-Vault-Token": this.keys().rootToken },
      signal: AbortSignal.timeout(10_000),
    });
    return (await response.json()) as Record<string, unknown>;
  }

  /** The authority of Vault's certificate, as `up` has written it down; undefined before TLS was turned on. */
  authority(): string | undefined {
    const file = authorityPath(this.test.stackDir);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }
}

let made: SharedStack | undefined;

/** The stack; the first caller has it made. Nothing is in it yet then. */
export async function sharedStack(): Promise<SharedStack> {
  if (made === undefined) {
    const scan = new SecretScan();
    made = new SharedStack(await makeTestStack({ "vault.tls.enabled": "false" }), scan);
  }
  return made;
}

/** A root hook: what a failed or interrupted run has made is taken down, whichever test it was. */
after(async function () {
  this.timeout(5 * minutes);
  made?.scan.end();
  if (made === undefined) return;
  await made.test.stack.cancel().catch(() => {});
  await made.test.stack.destroy();
  await removeTestStack(made.test);
});

/** Waits up to two minutes, or another time in ms; an error counts as not yet. */
export async function eventually(
  done: () => Promise<boolean>,
  what: string,
  forMs = 2 * minutes,
): Promise<void> {
  const ask = async () => ((await done().catch(() => false)) ? true : undefined);
  if (await poll(ask, { forMs, everyMs: 500 })) return;
  throw new Error(`waited ${forMs / minutes} minutes for ${what}`);
}

/** The body of a GET with this Host header; throws for any answer but 200. */
export function getWithHost(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host }, timeout: 10_000 }, (response) => {
      let body = "";
      response.on("data", (data) => {
        body += data;
      });
      response.on("end", () =>
        response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode}: ${body}`)),
      );
    });
    sent.on("error", reject).end();
  });
}
