import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CommandError } from "./command.ts";
import { type Environment, prepareEnvironment, toolEnvironment } from "./environment.ts";
import { checkout, local } from "./folders.ts";
import { freeDeadLocks, holder, readLocks } from "./locks.ts";
import { pulumi } from "./pulumi.ts";
import { readTools } from "./tools-record.ts";

/** Name of the project, as Pulumi.yaml has it. */
const project = (): string =>
  (parse(readFileSync(join(checkout, "Pulumi.yaml"), "utf8")) as { name: string }).name;

/** A resource as the state has it; secrets in it are encrypted. */
export interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  protect?: boolean;
}

/** A stack of this project, and the environment in which pulumi works on it. */
export class Stack {
  readonly name: string;
  readonly env: Environment;

  /** Throws if the tools have not been brought. */
  constructor(name: string) {
    const tools = readTools();
    if (!tools) throw new CommandError("The tools are not there. Bring them with: npm run setup");
    prepareEnvironment();
    this.name = name;
    this.env = toolEnvironment(tools.plugins === "closed");
  }

  async exists(): Promise<boolean> {
    const listed = JSON.parse(await pulumi(this.env, ["stack", "ls", "--json"])) as { name: string }[];
    return listed.some(({ name }) => name === this.name || name.endsWith(`/${this.name}`));
  }

  /** Makes the stack if there is none. */
  async create(say: (line: string) => void): Promise<void> {
    if (await this.exists()) return;
    this.#dropOldSalt(say);
    await pulumi(this.env, ["stack", "init", this.name, "--no-select"]);
    say(`stack ${this.name} is made`);
  }

  /** Makes it the one that pulumi works on by hand: `pulumi preview` without --stack. */
  async select(): Promise<void> {
    await pulumi(this.env, ["stack", "select", this.name]);
  }

  /** Who holds it, in words, and which locks dead processes left. Changes nothing. */
  locks(): { dead: string[]; held: string[] } {
    const { dead, held } = readLocks(this.env.PULUMI_BACKEND_URL ?? "", project(), this.name);
    return { dead: dead.map(holder), held: held.map(holder) };
  }

  /** Frees the stack of locks that dead processes left; throws where a living one holds it. */
  unlock(say: (line: string) => void): void {
    const { removed, held } = freeDeadLocks(this.env.PULUMI_BACKEND_URL ?? "", project(), this.name);
    for (const lock of removed) say(`removed the lock of a dead process: ${holder(lock)}`);
    if (held.length === 0) return;
    throw new CommandError(
      `Stack ${this.name} is in use: ${held.map(holder).join("; ")}.\n` +
        "Wait for it to end and try again. If it does not run any more: pulumi cancel --yes --stack " +
        this.name,
    );
  }

  /**
   * Forgets operations that a killed run was in the middle of. Every step of this program finds out by
   * itself what is done already, so nothing has to be asked; without this, Pulumi warns of them for ever.
   */
  async forgetPending(say: (line: string) => void): Promise<void> {
    const state = JSON.parse(await this.export()) as {
      deployment: { pending_operations?: { resource: { urn: string } }[] };
    };
    const pending = state.deployment.pending_operations ?? [];
    if (pending.length === 0) return;
    const names = pending.map(({ resource }) => resource.urn.split("::").at(-1));
    delete state.deployment.pending_operations;
    await pulumi(this.env, ["stack", "import", "--stack", this.name], JSON.stringify(state));
    say(`an earlier run was cut off while it worked on ${names.join(", ")}: looked at anew`);
  }

  /**
   * Takes resources out of the state, and what others say of them: for what is gone already and cannot be asked for its
   * end. Gives their names.
   */
  async forget(isForgotten: (resource: Resource) => boolean): Promise<string[]> {
    const state = JSON.parse(await this.export()) as {
      deployment: { resources?: (Resource & Record<string, unknown>)[] };
    };
    const all = state.deployment.resources ?? [];
    const forgotten = all.filter(isForgotten);
    const urns = new Set(forgotten.map(({ urn }) => urn));
    const without = (value: unknown): unknown =>
      Array.isArray(value) ? value.filter((each) => !urns.has(each)) : value;
    const rest = all.filter((resource) => !isForgotten(resource));
    for (const resource of rest) {
      resource.dependencies = without(resource.dependencies);
      const byProperty = Object.entries((resource.propertyDependencies ?? {}) as object);
      resource.propertyDependencies = Object.fromEntries(byProperty.map(([key, on]) => [key, without(on)]));
    }
    state.deployment.resources = rest;
    if (forgotten.length > 0)
      await pulumi(this.env, ["stack", "import", "--stack", this.name], JSON.stringify(state));
    return forgotten.map(({ urn }) => urn.split("::").at(-1) ?? "");
  }

  /** Folder of its own files: kubeconfig, keys. */
  get dir(): string {
    return join(local.stacks, this.name);
  }

  /** The resources that its state knows; with `showSecrets` what is secret in them is `{plaintext: "..."}`. */
  async resources({ showSecrets = false } = {}): Promise<Resource[]> {
    const { deployment } = JSON.parse(await this.export({ showSecrets })) as {
      deployment: { resources?: Resource[] };
    };
    return deployment.resources ?? [];
  }

  /** The state as JSON text, its secrets encrypted unless `showSecrets`. */
  async export({ showSecrets = false } = {}): Promise<string> {
    const show = showSecrets ? ["--show-secrets"] : [];
    return await pulumi(this.env, ["stack", "export", ...show, "--stack", this.name]);
  }

  /** The outputs; a secret one is the text "[secret]" unless `showSecrets`. */
  async outputs({ showSecrets = false } = {}): Promise<Record<string, unknown>> {
    const show = showSecrets ? ["--show-secrets"] : [];
    return JSON.parse(await pulumi(this.env, ["stack", "output", "--json", ...show, "--stack", this.name]));
  }

  /**
   * A settings file that was used with an older passphrase of ours holds its salt, with which no new stack
   * opens. The stack is gone and the passphrase is another one, so the salt goes too; settings that were
   * encrypted with it are lost, and that is for the user to decide.
   */
  #dropOldSalt(say: (line: string) => void): void {
    if (this.env.PULUMI_CONFIG_PASSPHRASE_FILE !== local.passphrase) return;
    const file = join(checkout, `Pulumi.${this.name}.yaml`);
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (!/^encryptionsalt:/m.test(text)) return;
    if (/^\s+secure:/m.test(text)) {
      throw new CommandError(
        `${file} holds settings that were encrypted for a stack that is not in ${this.env.PULUMI_BACKEND_URL}.\n` +
          "Put that state back, or take its `secure:` entries and `encryptionsalt` out and set them anew.",
      );
    }
    writeFileSync(file, text.replace(/^encryptionsalt:.*\n?/m, ""));
    say(`took the salt of an earlier stack out of Pulumi.${this.name}.yaml`);
  }
}
