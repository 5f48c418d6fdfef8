/** A highly available Vault on Kubernetes, from nothing: the whole, in the order in which it comes to stand. */
import * as pulumi from "@pulumi/pulumi";
import { loadCertificate } from "./components/brought-certificate.ts";
import { everyProblem } from "./components/every-problem.ts";
import { ExistingCluster } from "./components/existing-cluster.ts";
import { loadHolders } from "./components/holders.ts";
import { loadIngressChart } from "./components/ingress-chart.ts";
import { IngressRelease } from "./components/ingress-release.ts";
import { KindCluster } from "./components/kind-cluster.ts";
import { VaultBackup } from "./components/vault-backup.ts";
import { VaultIngress } from "./components/vault-ingress.ts";
import { VaultLifecycle } from "./components/vault-lifecycle.ts";
import { VaultMonitor } from "./components/vault-monitor.ts";
import { VaultRelease } from "./components/vault-release.ts";
import { loadVaultValues } from "./components/vault-values.ts";
import { Whoami } from "./components/whoami.ts";
import { loadSettings } from "./config.ts";
import { preflight } from "./setup/preflight.ts";
import { preflightExisting } from "./setup/preflight-existing.ts";
import { loadSources } from "./sources.ts";
import { kubeconfigPath } from "./steps/lib/cluster.ts";

// Pulumi takes a stack trace of each thing it registers and looks up source maps for it: a tenth of a preview's time.
// Node runs this program's files line by line as they are, so their traces are right without.
Reflect.deleteProperty(Error, "prepareStackTrace");

const settings = loadSettings();
const sources = loadSources();
const stackDir = `.local/stacks/${pulumi.getStack()}`;
const namePrefix = `vault-ha-${pulumi.getStack()}`;
const [values, ingressChart, certificate, holders] = await everyProblem(
  () => loadVaultValues(settings, sources),
  () => loadIngressChart(settings, sources),
  () => loadCertificate(settings.vault, stackDir),
  () => loadHolders(settings, stackDir),
);
const { existing } = settings.cluster;
if (existing) await preflightExisting({ existing, settings, values, stack: pulumi.getStack(), stackDir });
else await preflight(settings, namePrefix);

const cluster = existing
  ? new ExistingCluster("cluster", { context: existing.context, stackDir })
  : new KindCluster("cluster", { settings, namePrefix, stackDir, nodeImage: sources.nodeImage });

const vault = new VaultRelease("vault", {
  cluster,
  settings,
  source: sources.vault,
  values,
  certificate,
  stackDir,
});
const lifecycle = new VaultLifecycle("lifecycle", { cluster, vault, settings, holders, stackDir });

if (settings.telemetry.enabled) new VaultMonitor("vault", { cluster, vault, settings });

const { backup } = settings;
if (backup)
  new VaultBackup("vault-backup", {
    cluster,
    vault,
    lifecycle,
    settings: { ...settings, backup },
    values,
    rcloneImage: sources.rclone.image,
  });

// A cluster that exists has an edge of its own.
if (!existing) {
  const ingress = new IngressRelease("ingress", { cluster, chart: ingressChart });
  if (settings.whoami.enabled)
    new Whoami("whoami", { cluster, ingress, host: settings.whoami.host, image: sources.whoami.image });
  new VaultIngress("vault", { cluster, ingress, vault, host: settings.vault.host });
}

const { ports } = settings.cluster;
/** From this machine on kind, from inside a cluster that exists. */
export const vaultAddress = existing
  ? `${vault.scheme}://vault.${vault.namespace}.svc:8200`
  : `${vault.scheme}://localhost:${ports.vault}`;
/** Vault through the ingress. With TLS the certificate is Vault's own there, too. Empty without an ingress. */
export const vaultIngressAddress = existing
  ? ""
  : `${vault.scheme}://${settings.vault.host}:${vault.tls ? ports.https : ports.http}`;
/** The authority that has signed Vault's certificate, for curl --cacert and VAULT_CACERT. Empty without TLS. */
export const vaultAuthorityFile = vault.tls?.authorityFile ?? "";
/** The test application. Empty where there is none. */
export const whoamiAddress =
  settings.whoami.enabled && !existing ? `http://${settings.whoami.host}:${ports.http}` : "";
export const clusterName = cluster.clusterName;
export const kubeconfigFile = kubeconfigPath(stackDir);
/** Root token and shares, readable by you alone; where people hold the shares, what each of them has, encrypted. */
export const keysFile = `${stackDir}/vault-init.json`;
export const rootToken = lifecycle.rootToken;
// null where there are none: of an undefined one Pulumi warns in every run.
export const shares = settings.vault.seal ? null : lifecycle.shares;
/** With a seal (vault.seal.type) there are these instead: they unseal nothing, and make root tokens and other shares. */
export const recoveryShares = settings.vault.seal ? lifecycle.shares : null;
/** For npm run custody shares. */
export const encryptedShares = lifecycle.encryptedShares ?? null;
export const peers = lifecycle.peers;
