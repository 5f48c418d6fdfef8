/** What is wrong with settings only together. */
import { show } from "../components/values-file.ts";
import type { Settings } from "../config.ts";
import type { Key } from "./list.ts";
import { sealFolder } from "./seals.ts";
import { mend, removal } from "./words.ts";

/** What single values cannot show. A value that did not fit alone is undefined here and compares as false. */
export function combinations({ cluster, vault, custody, ingress, whoami, teardown }: Settings): string[] {
  const problems: string[] = [];
  if (vault.seal !== undefined && custody.mode === "pgp")
    problems.push(
      `custody.mode: with a seal (vault.seal.type) the nodes unseal themselves, and holders of shares (pgp) unseal nothing. One of the two.\n    ${mend("custody.mode", "stack")}`,
    );
  if (vault.threshold > vault.shares)
    problems.push(
      `vault.threshold: ${vault.threshold} is more than the ${vault.shares} shares there are (vault.shares), so nobody could unseal.\n    ${mend("vault.threshold", String(Math.ceil((vault.shares + 1) / 2)))}`,
    );
  // Vault's own rule: https://developer.hashicorp.com/vault/api-docs/system/init
  if (vault.threshold === 1 && vault.shares > 1)
    problems.push(
      `vault.threshold: 1 makes each of the ${vault.shares} shares the whole key; Vault refuses that.\n    ${mend("vault.threshold", "2")}`,
    );
  if (cluster.existing !== undefined) return problems;
  if (teardown.retainData)
    problems.push(
      `teardown.retainData: a kind cluster takes Vault's volumes with it, so nothing can be kept.\n    ${removal("teardown.retainData")}`,
    );
  if (cluster.workers < vault.replicas)
    problems.push(
      `cluster.workers: ${cluster.workers} workers cannot hold ${vault.replicas} Vault pods; the chart's anti-affinity puts one on a node.\n    ${mend("cluster.workers", String(vault.replicas))}`,
    );
  if (whoami.enabled && whoami.host !== undefined && whoami.host === vault.host)
    problems.push(
      `whoami.host: ${whoami.host} is Vault's own host (vault.host), and the ingress leads one host to one place.\n    ${mend("whoami.host", `whoami.${vault.host}`)}`,
    );
  if (ingress.controller === "traefik" && ingress.valuesFile !== undefined)
    problems.push(
      `ingress.valuesFile: ${show(ingress.valuesFile)} holds values of ingress-nginx's chart, and the controller is traefik (ingress.controller).\n    ${removal("ingress.valuesFile")}`,
    );
  const holders = new Map<number, string>();
  const taken = new Set(Object.values(cluster.ports));
  const free = (port: number): number => (taken.has(port) ? free(port + 1) : port);
  for (const [name, number] of Object.entries(cluster.ports)) {
    if (number === undefined) continue;
    const key = `cluster.ports.${name}`;
    const holder = holders.get(number);
    if (holder)
      problems.push(
        `${key}: ${number} is taken by ${holder} already.\n    ${mend(key as Key, String(free(number)))}`,
      );
    else holders.set(number, key);
  }
  return problems;
}

/** The nodes' VAULT_CACERT, which the vault command in them reads, is the authority of an HTTPS transit, too. */
export function authorityOfSeal({ vault }: Settings): string[] {
  if (vault.seal?.type !== "transit" || vault.tls === undefined) return [];
  const { parameters } = vault.seal;
  if (!parameters.address?.startsWith("https:")) return [];
  if (Object.keys(parameters).some((name) => name.startsWith("tls_"))) return [];
  return [
    `vault.seal.tls_ca_cert: this stack's nodes trust the authority of their own certificate, and would trust no other at ${parameters.address} either. Say which one it is: a key of the Secret, or the image's own authorities (/etc/ssl/certs/ca-certificates.crt).\n    ${mend("vault.seal.tls_ca_cert", `${sealFolder}/ca.crt`)}`,
  ];
}
