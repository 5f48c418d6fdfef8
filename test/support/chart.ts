/** Shows what the closed network's Vault chart makes of values, without a cluster. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { execa } from "execa";
import { type Values, withValue } from "../../components/values-file.ts";
import { vaultValues } from "../../components/vault-values.ts";
import { buildParts } from "../../offline/lib/build-parts.ts";
import { goPart } from "../../offline/lib/go-part.ts";
import { Store } from "../../offline/lib/store.ts";

export const chart = "offline/charts/vault";
/** The namespace of the release, whose name is vault. */
export const namespace = "vault-test";

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes, whose fields the tests look at
export type KubernetesObject = any;

/** What the chart answers: the objects, or why it does not take the values. */
export interface Rendered {
  objects?: KubernetesObject[];
  refused?: string;
}

/** `chart-render`: Helm's own library in the version of the kubernetes plug-in. Needed by tests only. */
export const chartRender = goPart({
  name: "chart-render",
  says: "chart-render, which shows what a chart makes of values",
  folder: "chart-render",
  programs: [{ name: "chart-render", package: "." }],
  light: true,
});

/** For `before`: builds chart-render unless it is there, which can take minutes on an empty cache. */
export async function buildRenderer(this: Mocha.Context): Promise<void> {
  this.timeout(600_000);
  await buildParts([chartRender]);
}

/** A chart's answers to many values, in the same order; Vault's unless another is named. */
export async function renderAll(values: object[], of = chart): Promise<Rendered[]> {
  const program = join(new Store().path(chartRender), "chart-render");
  const requests = values.map((one) => ({ chart: of, release: "vault", namespace, values: one }));
  const { stdout } = await execa(program, { input: requests.map((one) => JSON.stringify(one)).join("\n") });
  return stdout.split("\n").map((line) => JSON.parse(line) as Rendered);
}

/** What this program sets with the settings' defaults, and some keys changed: `{"server.logLevel": "debug"}`. */
export function programValues(changes: Record<string, unknown> = {}): Values {
  const { values, problems } = vaultValues({
    replicas: 3,
    storageSize: "10Gi",
    image: { repository: "hashicorp/vault", tag: "1.21.1" },
    performanceMultiplier: 5,
  });
  assert.deepEqual(problems, []);
  return Object.entries(changes).reduce((all, [key, value]) => withValue(all, key, value), values);
}

/** The objects for the program's values with some keys changed. Fails when the chart refuses them. */
export async function render(changes?: Record<string, unknown>): Promise<KubernetesObject[]> {
  const [answer] = await renderAll([programValues(changes)]);
  assert.equal(answer?.refused, undefined);
  return answer?.objects ?? [];
}

/** Why the chart refuses the program's values with some keys changed. Fails when it takes them. */
export async function refusal(changes: Record<string, unknown>): Promise<string> {
  const [answer] = await renderAll([programValues(changes)]);
  assert.equal(answer?.objects, undefined, "the chart took the values");
  return answer?.refused ?? "";
}
