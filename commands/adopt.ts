// npm run adopt: a stack goes on with a Vault that was made by hand. Nothing is restarted, nothing is initialised.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stringify } from "yaml";
import { stackLabel } from "../components/cluster.ts";
import { gatherFound } from "../operate/adopt/gather.ts";
import { readGivenKeys } from "../operate/adopt/given-keys.ts";
import { adoptionOf, valuesProblems } from "../operate/adopt/look.ts";
import { proveShares } from "../operate/adopt/prove-shares.ts";
import { bringKubeconfig } from "../operate/open-vault.ts";
import { readStackFile } from "../operate/stack-file.ts";
import { argumentsOrExit } from "../setup/arguments.ts";
import { CommandError, endOnInterrupt, runCommand } from "../setup/command.ts";
import { checkout, local } from "../setup/folders.ts";
import { kubectl } from "../setup/kubectl.ts";
import { Progress } from "../setup/progress.ts";
import { pulumi, pulumiShown } from "../setup/pulumi.ts";
import { Stack } from "../setup/stack.ts";
import { loadSources } from "../sources.ts";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import { keysPath, readKeys, writeKeys } from "../steps/lib/keys-file.ts";
import { openKube } from "../steps/lib/kube.ts";
import { Vault } from "../steps/lib/vault.ts";

const { flags } = argumentsOrExit({
  command: "npm run adopt",
  says: "Takes over a Vault that was made by hand (helm install, init, unseal, join) on a cluster that exists. Nothing is\nrestarted or initialised. Its shares are read from standard input, once:\n  npm run -s adopt -- --stack <name> < cluster-keys.json",
  flags: { stack: { says: "the stack that goes on with it; its file names the cluster", value: "name" } },
});

await runCommand("npm run adopt", adopt, { stops: true });

async function adopt(): Promise<void> {
  const name = String(flags.stack ?? "dev");
  const command = `npm run -s adopt -- --stack ${name}`;
  const release = endOnInterrupt("npm run adopt");
  const { settings } = readStackFile(name);
  if (settings.cluster.existing === undefined)
    throw new CommandError(
      `Stack ${name} has no cluster that exists. Nothing was changed.\n  pulumi config set cluster.driver existing --stack ${name}\n  pulumi config set cluster.context <context> --stack ${name}`,
    );
  const given = await readGivenKeys(command);
  const stack = new Stack(name);
  const progress = new Progress(4);
  const { vault } = settings;
  const stackDir = relative(checkout, stack.dir);
  const source = loadSources(local.sources).vault;
  const signal = AbortSignal.timeout(300_000);

  const { found, road, adoption, valuesFile } = await progress.step("look at what is there", async () => {
    if (
      (await stack.exists()) &&
      (await stack.resources()).some(({ urn }) => urn.endsWith("::vault-release"))
    )
      throw new CommandError(
        `Stack ${name} has a Vault already. Nothing was changed.\n  npm run status -- --stack ${name}`,
      );
    mkdirSync(stack.dir, { recursive: true, mode: 0o700 });
    await bringKubeconfig(stack);
    const kubeconfig = kubeconfigPath(stackDir);
    const place = { kubeconfig, namespace: vault.namespace, token: given.rootToken };
    const gathered = await gatherFound(await openKube(kubeconfig), place, signal);
    const begun = (await readKeys(stack.dir))?.adoptedAt !== undefined;
    if (begun && gathered.found.release === undefined && gathered.found.owner === name)
      throw new CommandError(
        `Stack ${name} has taken this Vault over already. To go on: pulumi up --stack ${name}`,
      );
    const { adoption, problems } = adoptionOf(gathered.found, settings, name, source);
    const [first] = gathered.found.pods;
    if (first?.threshold !== undefined && first.threshold > 0 && first.threshold !== given.threshold)
      problems.push(
        `Vault wants ${first.threshold} shares to unseal, and the keys on standard input say ${given.threshold}.`,
      );
    const file = `adopted-${name}.yaml`;
    const draft = join(stackDir, file);
    writeFileSync(draft, stringify(adoption.values));
    problems.push(...valuesProblems(draft, adoption, source));
    if (problems.length > 0)
      throw new CommandError(
        `This Vault cannot be taken over as it is. Nothing was changed.\n  ${problems.join("\n  ")}`,
      );
    return { ...gathered, adoption, valuesFile: file };
  });

  const [first = { name: "vault-0" }] = found.pods;
  const rootToken = await progress.step("prove the shares", async () => {
    const client = (token?: string) => new Vault(road, first.name, { signal }, token);
    const node = client();
    return await proveShares(node, client, given).finally(() => node.close());
  });

  release();
  await progress.step("take over", async (say) => {
    const known = await readKeys(stack.dir);
    if (known?.answer !== undefined && known.adoptedAt === undefined)
      throw new CommandError(
        `${keysPath(stackDir)} has the keys of another Vault. Nothing was changed.\n  ls -l ${stackDir}`,
      );
    const now = new Date().toISOString();
    const pvcUid = await road.storeOf(first.name, signal);
    await writeKeys(stack.dir, {
      version: 1,
      stack: name,
      pod: first.name,
      ...(pvcUid !== undefined && { pvcUid }),
      intendedAt: known?.intendedAt ?? now,
      threshold: given.threshold,
      answer: { shares: given.shares, rootToken, initialisedAt: known?.answer?.initialisedAt ?? now },
      adoptedAt: now,
    });
    say.line(`its keys are in ${keysPath(stackDir)}, readable by you alone`);
    writeFileSync(join(checkout, valuesFile), valuesText(adoption.values));
    await stack.create(say.line);
    for (const [key, value] of Object.entries({ ...adoption.settings, "vault.valuesFile": valuesFile }))
      await pulumi(stack.env, ["config", "set", key, value, "--stack", name]);
    say.line(`its values are in ${valuesFile}, which the stack's settings name now`);
    await run(stack, ["label", "namespace", vault.namespace, `${stackLabel}=${name}`, "--overwrite"]);
    await forgetNote(stack, vault.namespace, found.release?.secrets ?? []);
  });

  // Not held against the policy pack: a Vault of the tutorial speaks HTTP, and what comes next is to change that.
  await progress.handOver("pulumi up", () =>
    pulumiShown(stack.env, ["up", "--yes", "--stack", name], `To go on: npm run up -- --stack ${name}`),
  );
  process.stdout.write(
    [
      "",
      `Stack ${name} goes on with this Vault: ${found.pods.length} nodes, none of which was started anew.`,
      "The next change of the release's values starts them anew, one at a time, the leader last.",
      "",
      `  npm run status -- --stack ${name}`,
      `  npm run preview -- --stack ${name}`,
      `  pulumi config set vault.tls.enabled true --stack ${name}   (HTTPS; then npm run up -- --stack ${name})`,
      "",
      "Whoever has the file with the shares has Vault: put it away, or remove it.",
      "",
    ].join("\n"),
  );
}

function valuesText(values: object): string {
  return `# Values that were given to Helm by hand, of the Vault that npm run adopt has taken over.\n${stringify(values)}`;
}

async function run(stack: Stack, args: string[]): Promise<string> {
  const { failed, stdout, stderr } = await kubectl(stack, args);
  if (failed) throw new CommandError(`kubectl ${args.slice(0, 3).join(" ")}: ${stderr}`);
  return stdout;
}

/**
 * Pulumi's install goes over objects that carry the release's name, but not over Helm's own note of it ("cannot re-use
 * a name that is still in use"). A copy is kept until somebody removes it.
 */
async function forgetNote(stack: Stack, namespace: string, secrets: string[]): Promise<void> {
  if (secrets.length === 0) return;
  const note = await run(stack, ["get", "secrets", ...secrets, "--namespace", namespace, "--output", "yaml"]);
  const copy = join(stack.dir, "helm-release.yaml");
  if (!existsSync(copy)) writeFileSync(copy, note, { mode: 0o600 });
  await run(stack, ["delete", "secrets", ...secrets, "--namespace", namespace, "--ignore-not-found"]);
}
