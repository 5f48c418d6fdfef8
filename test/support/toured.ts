/** Real Vaults for tours: what is in them, what a tour of one tells, and what it leaves. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Told } from "../../operate/tour/take-step.ts";
import { type Toured, takeTour } from "../../operate/tour/tour.ts";
import { Engines } from "../../steps/lib/vault-answers.ts";
import { issueCertificate, makeAuthority } from "../../steps/lib/x509.ts";
import type { VaultProcess } from "./vault-process.ts";
import { VaultStack } from "./vault-stack.ts";

/** A tour's result, also of one that did not come to its end. */
export interface Taken {
  told: Told[];
  said: string[];
  error: (Error & { next?: string }) | undefined;
}

/** What a tour could leave behind. */
export type Held = Record<"mounts" | "policies" | "accessors", string[]>;

/** What a Vault holds of it, asked with the root token. */
export async function heldBy(get: (path: string) => Promise<unknown>): Promise<Held> {
  const keys = z.object({ data: z.object({ keys: z.array(z.string()) }) });
  const list = async (path: string) => keys.parse(await get(`${path}?list=true`)).data.keys.sort();
  return {
    mounts: Object.keys(Engines.parse(await get("sys/mounts")).data).sort(),
    policies: await list("sys/policies/acl"),
    accessors: await list("auth/token/accessors"),
  };
}

/** One node that is at work. */
export class TouredVault {
  readonly stack: VaultStack;
  readonly toured: Toured;

  private constructor(stack: VaultStack, toured: Toured) {
    this.stack = stack;
    this.toured = toured;
  }

  /** With https its certificate is for localhost, vault.localhost and vault.example.test. */
  static async start(scheme: "http" | "https"): Promise<TouredVault> {
    const authority = await makeAuthority("tour");
    const names = ["vault-0.vault-internal", "localhost", "vault.localhost", "vault.example.test"];
    const tls = { ...(await issueCertificate(authority, names)), caCert: authority.cert };
    const stack = await VaultStack.start(1, scheme === "https" ? { tls } : {});
    await stack.raise();
    assert.equal((await stack.verify()).code, 0);
    const caFile = join(stack.nodes.folder, "ca.crt");
    writeFileSync(caFile, authority.cert);
    const address = stack.nodes.at(0).address.replace("127.0.0.1", "localhost");
    return new TouredVault(stack, {
      place: { address, ip: "127.0.0.1", ...(scheme === "https" && { caFile }) },
      token: stack.token,
      next: { up: "npm run up", doctor: "npm run doctor", way: "npm run doctor" },
    });
  }

  get node(): VaultProcess {
    return this.stack.nodes.at(0);
  }

  /** Takes a tour, and does something as each step has been told. */
  async take(
    { place, ...more }: Partial<Toured> = {},
    each: (step: Told, stop: AbortController) => unknown = () => {},
  ): Promise<Taken> {
    const stop = new AbortController();
    const taken: Taken = { told: [], said: [], error: undefined };
    const toured = { ...this.toured, ...more, place: { ...this.toured.place, ...place } };
    await takeTour(toured, {
      tell: async (step) => {
        taken.told.push(step);
        await each(step, stop);
      },
      say: (line) => void taken.said.push(line),
      signal: stop.signal,
    }).catch((error) => {
      taken.error = error;
    });
    return taken;
  }

  held(): Promise<Held> {
    return heldBy((path) => this.node.get(path, this.stack.token));
  }

  async end(context: Mocha.Context): Promise<void> {
    await this.stack.end(context);
  }
}
