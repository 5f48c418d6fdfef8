import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import {
  type EngineEvent,
  LocalWorkspace,
  type OutputMap,
  type PulumiFn,
} from "@pulumi/pulumi/automation/index.js";
import { installPlugins } from "../../../offline/plugins/install.ts";

/** Which plug-ins the suite runs against: VAULT_HA_TEST_PLUGINS=official for the official ones. */
export const official = process.env.VAULT_HA_TEST_PLUGINS === "official";
/** The checkout. */
export const checkout = resolve(import.meta.dirname, "../../..");

/** A folder with a Pulumi home, a file backend and a place for the programs' own files. */
export interface World {
  folder: string;
  /** Where commands may write. */
  scratch: string;
  env: Record<string, string>;
  stop(): Promise<void>;
}

/**
 * Makes a world of its own. The project's plug-ins are put into it and the engine may not download any, or, with the
 * switch, none is put there and the engine fetches the official ones, as it always does.
 */
export async function makeWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "vault-ha-plugins-"));
  const scratch = await mkdtemp(join(folder, "scratch-"));
  const pulumiHome = join(folder, "home");
  if (!official) await installPlugins({ pulumiHome, node: process.execPath });
  const env = {
    PULUMI_HOME: pulumiHome,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "only for this test",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    ...(!official && { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
  };
  return { folder, scratch, env, stop: () => rm(folder, { recursive: true, force: true }) };
}

/** One stack, whose program each run may replace. */
export interface TestStack {
  /** @param policyPacks  folders of the packs that look at what the program declares. */
  preview(program: PulumiFn, policyPacks?: string[]): Promise<Run>;
  /** @param onEvent  sees each event when it comes, while the update goes on. */
  up(program: PulumiFn, onEvent?: (event: EngineEvent) => void): Promise<Run>;
  refresh(): Promise<Run>;
  destroy(): Promise<Run>;
  failingPreview(program: PulumiFn, policyPacks?: string[]): Promise<Run>;
  /** Goes on with the other resources when one fails. */
  failingUp(program: PulumiFn): Promise<Run>;
  failingDestroy(): Promise<Run>;
  /** The state file's text, as it lies on the disk. */
  stateFile(): Promise<string>;
}

/** What one run gave. */
export interface Run {
  /** Outputs of the stack, secrets in the clear; only of an update. */
  outputs: Record<string, unknown>;
  /** Which of them are secret. */
  secretOutputs: string[];
  events: EngineEvent[];
  /** All that pulumi printed. */
  text: string;
}

/** Makes a stack. */
export async function makeStack(world: World, name: string): Promise<TestStack> {
  const stack = await LocalWorkspace.createStack(
    { stackName: name, projectName: "conformance", program: async () => {} },
    {
      envVars: world.env,
      pulumiHome: join(world.folder, "home"),
      workDir: await mkdtemp(join(world.folder, "work-")),
    },
  );
  type Watch = {
    onEvent(event: EngineEvent): void;
    onOutput(text: string): void;
    onError(text: string): void;
  };
  const run = async (
    what: (watch: Watch) => Promise<{ outputs?: OutputMap }>,
    onEvent: (event: EngineEvent) => void = () => {},
  ): Promise<Run> => {
    const events: EngineEvent[] = [];
    let text = "";
    const { outputs = {} } = await what({
      onEvent: (event) => {
        events.push(event);
        onEvent(event);
      },
      onOutput: (part) => {
        text += part;
      },
      onError: (part) => {
        text += part;
      },
    });
    return {
      events,
      text,
      outputs: Object.fromEntries(Object.entries(outputs).map(([key, output]) => [key, output.value])),
      secretOutputs: Object.keys(outputs).filter((key) => outputs[key]?.secret),
    };
  };
  const preview = (program: PulumiFn, policyPacks: string[] = []) =>
    run(async (watch) => (await stack.preview({ program, policyPacks, ...watch })) && {});
  const up = (program: PulumiFn, onEvent?: (event: EngineEvent) => void) =>
    run((watch) => stack.up({ program, ...watch }), onEvent);
  const destroy = () => run(async (watch) => (await stack.destroy(watch)) && {});
  /** The same, which must fail. */
  const failing = (what: (watch: Watch) => Promise<unknown>) =>
    run(async (watch) => {
      const succeeded = await what(watch).then(
        () => true,
        () => false,
      );
      if (succeeded) throw new Error("this was to fail and did not");
      return {};
    });
  return {
    preview,
    up,
    refresh: () => run(async (watch) => (await stack.refresh(watch)) && {}),
    destroy,
    failingPreview: (program, policyPacks = []) =>
      failing((watch) => stack.preview({ program, policyPacks, ...watch })),
    failingUp: (program) => failing((watch) => stack.up({ program, continueOnError: true, ...watch })),
    failingDestroy: () => failing((watch) => stack.destroy(watch)),
    stateFile: () => readFile(join(world.folder, ".pulumi/stacks/conformance", `${name}.json`), "utf8"),
  };
}
