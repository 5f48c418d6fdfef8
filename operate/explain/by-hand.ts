/** The commands of kind and Helm that make by hand what a stack declares. */
import { isPair, isScalar, parseDocument, stringify, visit } from "yaml";
import { loadIngressChart } from "../../components/ingress-chart.ts";
import { kindConfig } from "../../components/kind-config.ts";
import { changes, mergeValues, readValuesFile, type Values } from "../../components/values-file.ts";
import { exampleValues, loadVaultValues } from "../../components/vault-values.ts";
import type { Settings } from "../../config.ts";
import { shellWord } from "../../setup/shell-word.ts";
import type { ChartSource, Sources } from "../../sources.ts";

/** Makes the cluster; its configuration stands in the command. */
export function kindCreate(cluster: string, settings: Settings, nodeImage: string | undefined): string {
  return `kind create cluster --name ${cluster} --config - ${hereDocument(kindConfig(settings, nodeImage))}`;
}

/** Installs Vault's release: the example's values, the stack's own over them, and what the settings decide. */
export function helmInstallVault(settings: Settings, sources: Sources): string[] {
  const { vault } = settings;
  const { vault: source } = sources;
  const final = loadVaultValues(settings, sources);
  const files = [exampleValues, ...(vault.valuesFile === undefined ? [] : [vault.valuesFile])];
  const given = files.map((file) => readValuesFile(file).values);
  const merged = given.reduce((below, above) => mergeValues(below, above, "").values, {});
  return [
    ...repoAdd("hashicorp", source),
    helmInstall("vault", vault.namespace, "hashicorp", source, [
      ...files.map((file) => `--values ${shellWord(file)}`),
      ...flags(changes(merged, final)),
    ]),
  ];
}

/** Installs the ingress controller with the values that kind wants; they stand in the command. */
export function helmInstallIngress(settings: Settings, sources: Sources): string[] {
  const { source, values } = loadIngressChart(settings, sources);
  return [
    ...repoAdd("ingress-nginx", source),
    helmInstall("ingress-nginx", "ingress-nginx", "ingress-nginx", source, [
      "--wait",
      `--values - ${hereDocument(stringify(values))}`,
    ]),
  ];
}

/** Nothing for a chart that is a folder. */
function repoAdd(name: string, { repo }: ChartSource): string[] {
  return repo === undefined ? [] : [`helm repo add ${name} ${repo}`];
}

function helmInstall(
  release: string,
  namespace: string,
  repoName: string,
  { chart, version, repo }: ChartSource,
  flags: string[],
): string {
  const from = repo === undefined ? chart : `${repoName}/${chart}`;
  return [
    `helm install ${release} ${from}${version === undefined ? "" : ` --version ${version}`}`,
    `--namespace ${namespace} --create-namespace`,
    ...flags,
  ].join(" \\\n  ");
}

/** A flag for each value; lists and those of several lines stand in one file, on standard input. */
function flags(values: [path: string, value: unknown][]): string[] {
  const long = values.filter(([, value]) => Array.isArray(value) || String(value).includes("\n"));
  const file = long.reduce((below, [path, value]) => mergeValues(below, nested(path, value), "").values, {});
  return [
    ...values.filter((each) => !long.includes(each)).map(flag),
    ...(long.length > 0 ? [`--values - ${hereDocument(stringify(file))}`] : []),
  ];
}

function nested(path: string, value: unknown): Values {
  return path.split(".").reduceRight<unknown>((below, key) => ({ [key]: below }), value) as Values;
}

function flag([path, value]: [string, unknown]): string {
  return typeof value === "string" ? `--set-string ${path}=${value}` : `--set ${path}=${value}`;
}

/** YAML as a command's standard input, each list or map of plain values on one line. */
function hereDocument(yaml: string): string {
  const document = parseDocument(yaml);
  visit(document, {
    Collection(key, node) {
      const values = node.items.map((item) => (isPair(item) ? item.value : item));
      node.flow =
        key !== null && values.every((value) => isScalar(value) && !String(value.value).includes("\n"));
    },
  });
  return `<<'EOF'\n${document.toString({ lineWidth: 0 })}EOF`;
}
