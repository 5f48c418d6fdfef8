/** Gathers what a judgement is made from. Changes nothing; what does not answer is said to be unknown. */
import { z } from "zod";
import { isMap } from "../../components/values-file.ts";
import { loadVaultValues } from "../../components/vault-values.ts";
import { type Settings, settingsOf } from "../../config.ts";
import { local } from "../../setup/folders.ts";
import { Stack } from "../../setup/stack.ts";
import { loadSources, type Sources } from "../../sources.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { revisionLabel } from "../../steps/lib/rolling-pods.ts";
import { sealConfigured } from "../../steps/lib/seal-guard.ts";
import { giveUpCommand } from "../../steps/lib/target.ts";
import { ask } from "../views/answer.ts";
import { commandsOf } from "../views/commands.ts";
import { journalView } from "../views/journal-view.ts";
import { pulumiView } from "../views/pulumi-view.ts";
import { openSubject, type Subject } from "../views/subject.ts";
import { gatherViews, type Views } from "../views/views.ts";
import { VolumeClaimTemplates, type VolumeTemplate } from "../views/volume-templates.ts";
import type { Preview } from "./change.ts";
import { clusterCauses } from "./cluster-causes.ts";
import type { KnownVault, Plan, PlanCommands, ReleasePlan, Running, RunningNode } from "./plan.ts";

/** Gathers what is known of a stack beside its preview. */
export async function gatherPlan(name: string, preview: Preview): Promise<Plan> {
  const subject = await openSubject(name);
  const settings = settingsOf(name, preview.config);
  const sources = loadSources(local.sources);
  const { changes } = preview;
  const vault = await knownVault(subject);
  const replaced = changes.some(({ name, op }) => name === "cluster-create" && op === "replace");
  const [running, causes] = await Promise.all([
    vault === undefined ? { nodes: [], unknown: [] } : runningVault(subject),
    replaced ? clusterCauses(new Stack(name), settings, sources.nodeImage) : [],
  ]);
  const commands = planCommands(subject, settings.vault.giveUp);
  return {
    stack: name,
    stackDir: subject.stackDir,
    changes,
    release: releasePlan(subject, settings, sources),
    settings,
    vault,
    running,
    clusterCauses: causes,
    commands,
  };
}

function releasePlan({ resources }: Subject, settings: Settings, sources: Sources): ReleasePlan | undefined {
  const inputs = resources.find(({ urn }) => urn.endsWith("::vault-release"))?.inputs;
  if (!isMap(inputs?.values)) return undefined;
  return { before: inputs.values, after: loadVaultValues(settings, sources) };
}

/** What the state, and the journal, know the Vault by; undefined where neither knows of an initialisation. */
async function knownVault({ resources, pods, stackDir }: Subject): Promise<KnownVault | undefined> {
  const { pinned } = pulumiView(resources, pods);
  const initialised = resources.some(({ urn }) => urn.endsWith("::lifecycle-init-vault-0"));
  const journal = await journalView(stackDir);
  if (!initialised && journal === undefined) return undefined;
  const clusterId = pinned.clusterId ?? journal?.clusterId;
  return {
    ...(clusterId !== undefined && { clusterId }),
    stores: { ...(journal?.store !== undefined && { [journal.pod]: journal.store }), ...pinned.stores },
  };
}

async function runningVault(subject: Subject): Promise<Running> {
  const [views, volumes, seal] = await Promise.all([
    gatherViews(subject),
    volumeTemplates(subject),
    ask(async (signal) => subject.target && sealConfigured(subject.target, subject.pods, signal)),
  ]);
  const nodes = subject.pods.map((name) => runningNode(name, views, volumes.value?.revision));
  const answered = Object.values(views.vault).find(({ value }) => value && value.threshold > 0)?.value;
  const journal = views.journal.value;
  const key =
    answered ??
    (journal && journal.shares > 0 ? { shares: journal.shares, threshold: journal.threshold } : undefined);
  const silent = nodes.filter(({ sealed }) => sealed === undefined);
  const why = views.vault[silent[0]?.name ?? ""]?.failed;
  return {
    nodes,
    ...(key && { key: { shares: key.shares, threshold: key.threshold } }),
    ...(seal.value && { seal: seal.value }),
    ...(volumes.value && { volumes: volumes.value.templates }),
    unknown: [
      ...(silent.length > 0
        ? [
            `Whether ${silent.map(({ name }) => name).join(", ")} ${silent.length === 1 ? "is" : "are"} sealed: ${why}.`,
          ]
        : []),
      ...(nodes.some(({ leads }) => leads === true) ? [] : ["Which node leads."]),
      ...(volumes.failed === undefined ? [] : [`What the volumes are made from: ${volumes.failed}.`]),
    ],
  };
}

function runningNode(name: string, views: Views, revision: string | undefined): RunningNode {
  const vault = views.vault[name]?.value;
  const made = views.kubernetes?.value?.pods[name]?.object.metadata.labels?.[revisionLabel];
  return {
    name,
    ...(vault && { sealed: vault.sealed, version: vault.version }),
    ...(vault?.seal !== undefined && { seal: vault.seal }),
    ...(vault?.leads !== undefined && { leads: vault.leads }),
    ...(made !== undefined && revision !== undefined && { outdated: made !== revision }),
  };
}

const StatefulSet = z.object({
  spec: z.object({ volumeClaimTemplates: VolumeClaimTemplates }),
  status: z.object({ updateRevision: z.string().optional() }).optional(),
});

/** What the StatefulSet makes volumes from, and its newest template; no templates where there is no StatefulSet. */
async function volumeTemplates({ target }: Subject) {
  return ask(async (signal): Promise<{ templates: VolumeTemplate[]; revision: string | undefined }> => {
    if (target?.reach.kind !== "kubernetes")
      throw new Error("the cluster's kubeconfig is not on this machine");
    const { kubeconfig, namespace } = target.reach;
    const kube = await openKube(kubeconfig);
    const path = `/apis/apps/v1/namespaces/${namespace}/statefulsets/vault`;
    const found = await kube.get(path, StatefulSet, signal);
    return { templates: found?.spec.volumeClaimTemplates ?? [], revision: found?.status?.updateRevision };
  });
}

function planCommands(subject: Subject, giveUp: string[]): PlanCommands {
  const { stack } = subject;
  const { up, down, kubectl } = commandsOf(subject);
  return {
    up,
    down,
    kubectl,
    snapshot: () => [`npm run snapshot save${stack === "dev" ? "" : ` -- --stack ${stack}`}`],
    giveUp: (lost) => giveUpCommand({ giveUp, stack }, [...lost]),
  };
}
