import { z } from "zod";

const outputs = z.object({
  vaultAddress: z.string(),
  /** Empty without TLS. */
  vaultAuthorityFile: z.string(),
  vaultIngressAddress: z.string().optional(),
  whoamiAddress: z.string().optional(),
  keysFile: z.string(),
  /** There where people hold the shares; it is not shown. */
  encryptedShares: z.unknown().optional(),
  /** Only of a stack with a seal; that there are any is all that is kept of them. */
  recoveryShares: z.unknown().optional(),
  kubeconfigFile: z.string(),
  peers: z.array(z.object({ node: z.string(), address: z.string(), state: z.string(), voter: z.boolean() })),
});

/** What a stack that stands says of itself, without any secret. */
export interface Summary extends Omit<z.infer<typeof outputs>, "encryptedShares" | "recoveryShares"> {
  /** People hold the shares (custody.mode pgp). */
  byHolders?: true;
  /** The nodes unseal themselves, and the shares are recovery shares. */
  sealed?: true;
}

/** Takes the summary out of a stack's outputs. Throws, naming what is missing. */
export function readSummary(found: Record<string, unknown>): Summary {
  const read = outputs.safeParse(found);
  if (read.success) {
    const { encryptedShares, recoveryShares, ...rest } = read.data;
    return {
      ...rest,
      ...(encryptedShares != null && { byHolders: true }),
      ...(recoveryShares != null && { sealed: true }),
    };
  }
  const wrong = read.error.issues.map(({ path }) => path.join("."));
  throw new Error(`The stack stands, but its outputs lack ${[...new Set(wrong)].join(", ")}`);
}

/** The words at the end of `npm run up`. */
export function summaryText(summary: Summary, stack: string, took: string): string {
  const { vaultAddress, vaultAuthorityFile, vaultIngressAddress, whoamiAddress, kubeconfigFile, peers } =
    summary;
  const rows = peers.map(({ node, address, state, voter }) => [node, address, state, voter ? "yes" : "no"]);
  return [
    "",
    `Vault stands at ${vaultAddress}`,
    ...forwardLine(vaultAddress, kubeconfigFile),
    ...(vaultIngressAddress ? [`  through the ingress: ${vaultIngressAddress}`] : []),
    ...(vaultAuthorityFile
      ? [`  authority of its certificate: ${vaultAuthorityFile} (curl --cacert, VAULT_CACERT)`]
      : []),
    ...(whoamiAddress ? [`Test application at ${whoamiAddress}`] : []),
    "",
    ...table(["node", "address", "state", "voter"], rows),
    "",
    ...keysLines(summary, stack),
    "",
    "Next:",
    '  eval "$(npm run -s env)"',
    `  kubectl --kubeconfig ${kubeconfigFile} get pods --all-namespaces`,
    `  npm run down${stack === "dev" ? "" : ` -- --stack ${stack}`}`,
    "",
    `It took ${took}.`,
    "",
  ].join("\n");
}

function keysLines({ keysFile, byHolders, sealed }: Summary, stack: string): string[] {
  if (byHolders)
    return [
      "The key shares are in people's hands; each has its own, encrypted, once more with:",
      `  npm run custody shares -- --stack ${stack}`,
    ];
  return [
    `Root token and ${sealed ? "recovery" : "key"} shares (after the first command below):`,
    `  pulumi stack output rootToken --show-secrets --stack ${stack}`,
    `  pulumi stack output ${sealed ? "recoveryShares" : "shares"} --show-secrets --stack ${stack}`,
    `  ${keysFile} holds both, readable by you alone`,
  ];
}

/** For a Vault in a cluster that exists: how a person on this machine gets there. */
function forwardLine(address: string, kubeconfig: string): string[] {
  const [, namespace] = /^https?:\/\/vault\.([^.]+)\.svc:/.exec(address) ?? [];
  if (namespace === undefined) return [];
  return [
    `  inside the cluster; from this machine: kubectl --kubeconfig ${kubeconfig} --namespace ${namespace} port-forward service/vault 8200:8200`,
  ];
}

/** Rows under a head, in columns as wide as their widest entry. */
export function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: string[]) =>
    `  ${row
      .map((entry, i) => entry.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd()}`;
  return [line(head), ...rows.map(line)];
}
