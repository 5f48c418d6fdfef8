// npm run up: everything from a clean checkout to a Vault that stands.
import { judgeUpdate } from "../operate/preview/before-update.ts";
import { replacesCluster, takeClusterDown } from "../operate/preview/replace-cluster.ts";
import { judgementText } from "../operate/preview/text.ts";
import { openRotating } from "../operate/rotation/open.ts";
import { ownToken, renewStackToken } from "../operate/rotation/renew.ts";
import { clusterExists } from "../operate/stack-texts.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, endOnInterrupt, networkFlag, runCommand } from "../setup/command.ts";
import { forgetHalfMadeReleases } from "../setup/half-made-releases.ts";
import { duration, Progress } from "../setup/progress.ts";
import { pulumiShown, stackArguments } from "../setup/pulumi.ts";
import { readNetwork } from "../setup/reach.ts";
import { SETUP_STEPS, setUp } from "../setup/setup.ts";
import { Stack } from "../setup/stack.ts";
import { readSummary, summaryText } from "../setup/summary.ts";
import { wakeCluster } from "../setup/wake-cluster.ts";
import { readKeys } from "../steps/lib/keys-file.ts";

const { flags } = argumentsOrExit({
  command: "npm run up",
  says: "Brings what is needed, then makes or updates a stack: a Kubernetes cluster and a Vault on it,\nhighly available, unsealed and proved. Run again, it changes only what differs.",
  flags: {
    stack: { says: "another stack than dev; it is made if there is none", value: "name" },
    ...networkFlag,
    json: { says: "the summary as a JSON object on standard output, without secrets" },
  },
});

await runCommand(
  "npm run up",
  async () => {
    const started = Date.now();
    const name = String(flags.stack ?? "dev");
    const progress = new Progress(SETUP_STEPS + 2);
    const again = "To go on where it stopped: npm run up";
    const release = endOnInterrupt("npm run up");
    await setUp(progress, readNetwork(flags.network), clusterExists(name));
    const { stack, judgement } = await progress.step(`stack ${name}`, async (say) => {
      const it = new Stack(name);
      await it.create(say.line);
      await it.select();
      it.unlock(say.line);
      await it.forgetPending(say.line);
      const resources = await it.resources();
      await wakeCluster(it, resources, say.line);
      await forgetHalfMadeReleases(it, resources, say.line);
      return { stack: it, judgement: await judgeUpdate(it, resources) };
    });
    release();
    if (judgement !== undefined) console.error(judgementText(judgement));
    if (judgement?.goesOn === false) throw new CommandError("Nothing was changed.");
    // What was previewed is not previewed once more.
    const previewed = judgement === undefined ? [] : ["--skip-preview"];
    await progress.handOver("pulumi up", async () => {
      if (judgement && replacesCluster(judgement)) await takeClusterDown(stack, again);
      await pulumiShown(stack.env, stackArguments("up", name, "--yes", ...previewed), again);
    });
    // Only where there is a token that ends by itself: everybody else is spared the way to Vault.
    if (ownToken(await readKeys(stack.dir))) await renewStackToken(await openRotating(name, undefined));
    const summary = readSummary(await stack.outputs());
    const ms = Date.now() - started;
    if (flags.json) {
      process.stdout.write(`${JSON.stringify({ ...summary, seconds: Math.round(ms / 1000) }, null, 2)}\n`);
    } else process.stdout.write(summaryText(summary, name, duration(ms)));
  },
  { stops: true },
);
