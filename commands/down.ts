// npm run down: pulumi destroy, a look at whether anything is left, and a receipt.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { bringKubeconfig } from "../operate/open-vault.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { clusterExists } from "../operate/stack-texts.ts";
import { confirmDestroy, isProtected } from "../operate/teardown/confirm.ts";
import { keptSnapshots } from "../operate/teardown/kept-snapshots.ts";
import {
  existingPlace,
  existingReceipt,
  lookAt,
  refuseUnreachable,
} from "../operate/teardown/on-existing.ts";
import { afterOnKind, beforeOnKind } from "../operate/teardown/on-kind.ts";
import { type Receipt, receiptText, withSnapshots } from "../operate/teardown/receipt.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, endOnInterrupt, runCommand } from "../setup/command.ts";
import { bringEngine, stopEngine } from "../setup/engine.ts";
import { checkout } from "../setup/folders.ts";
import { Progress } from "../setup/progress.ts";
import { pulumi, pulumiShown } from "../setup/pulumi.ts";
import { type Resource, Stack } from "../setup/stack.ts";

const { flags } = argumentsOrExit({
  command: "npm run down",
  says: "Destroys a stack. On kind its cluster goes with Vault and all it holds; on a cluster that exists the volumes\nand their keys stay, unless teardown.retainData is false. Ends with a receipt. The stack's settings stay.",
  flags: {
    stack: { says: "another stack than dev", value: "name" },
    confirm: {
      says: "the stack's name once more, where it is protected and nobody can be asked",
      value: "name",
    },
    "cluster-is-gone": {
      says: "an existing cluster does not answer because it is gone for good: forget what was in it",
    },
    all: { says: "stops the Docker engine too, if npm run up had started it and nothing else runs in it" },
    json: { says: "the receipt as a JSON object on standard output" },
  },
});

const name = String(flags.stack ?? "dev");

await runCommand("npm run down", down, { stops: true });

async function down(): Promise<void> {
  const release = endOnInterrupt("npm run down");
  const onExisting = clusterExists(name);
  const progress = new Progress((onExisting ? 2 : 3) + (flags.all ? 1 : 0));
  const stack = new Stack(name);
  if (!onExisting) await progress.step("Docker engine", bringEngine, (words) => words);
  if (!(await stack.exists())) console.error(`There is no stack ${name}; nothing to destroy.`);
  else {
    stack.unlock(console.error);
    await stack.forgetPending(console.error);
    const resources = await stack.resources();
    if (isProtected(resources)) {
      await confirmDestroy(name, flags.confirm === undefined ? undefined : String(flags.confirm));
      await pulumi(stack.env, ["state", "unprotect", "--all", "--yes", "--stack", name]);
    }
    release();
    const receipt = await (onExisting ? endOnExisting : endOnKind)(stack, resources, progress);
    process.stdout.write(flags.json ? `${JSON.stringify(receipt, null, 2)}\n` : receiptText(receipt));
  }
  if (flags.all) await progress.step("stop the engine", stopEngine, ({ says }) => says);
}

async function endOnKind(stack: Stack, resources: Resource[], progress: Progress): Promise<Receipt> {
  if (flags["cluster-is-gone"])
    throw new CommandError(
      "--cluster-is-gone is for a cluster that exists; kind's is found missing without it.",
      2,
    );
  const before = await beforeOnKind(stack, resources);
  await destroy(stack, progress);
  return await progress.step(
    "what is left",
    () => afterOnKind(stack, before),
    () => "nothing, in Docker",
  );
}

async function endOnExisting(stack: Stack, resources: Resource[], progress: Progress): Promise<Receipt> {
  const { cluster, vault } = readStackFile(name).settings;
  await bringKubeconfig(stack);
  const place = existingPlace(stack, resources, {
    namespace: vault.namespace,
    context: cluster.existing?.context ?? "",
  });
  const before = await lookAt(place);
  refuseUnreachable(place, before, flags["cluster-is-gone"] === true);
  if (before === undefined) {
    const saved = join(stack.dir, "state-before-down.json");
    mkdirSync(stack.dir, { recursive: true, mode: 0o700 });
    writeFileSync(saved, await stack.export(), { mode: 0o600 });
    // Nobody can be asked to delete them, and Pulumi would fail at each.
    const names = await stack.forget(({ type }) => type.startsWith("kubernetes:"));
    console.error(
      `Forgotten, as their cluster is gone: ${names.join(", ")}.\n` +
        `If it is not gone after all: pulumi stack import --stack ${name} --file ${relative(checkout, saved)}`,
    );
  }
  await destroy(stack, progress);
  return await progress.step("what is left", async () =>
    withSnapshots(existingReceipt(place, before, await lookAt(place)), await keptSnapshots(place.stackDir)),
  );
}

function destroy(stack: Stack, progress: Progress): Promise<void> {
  const again = `To go on: npm run down${name === "dev" ? "" : ` -- --stack ${name}`}`;
  return progress.handOver("pulumi destroy", () =>
    pulumiShown(stack.env, ["destroy", "--yes", "--stack", name], again),
  );
}
