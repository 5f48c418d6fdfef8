/** What in Vault's own configuration the steps could not live with. */
import { attribute, type Body, isEnabledSeal, isTrue, setTo, type Value } from "./hcl.ts";
import { show } from "./values-file.ts";
import { telemetryOtherwise } from "./vault-telemetry.ts";

/** Raft's patience, in its storage. */
export const multiplierKey = "performance_multiplier";

/** One thing in a value that cannot stay: what was found, why it cannot be, what to do instead. */
export interface Finding {
  found: string;
  why: string;
  instead: string;
}

export function checkListener(body: Body, tls: boolean): Finding[] {
  const listeners = body.blocks.filter(({ type, labels }) => type === "listener" && labels[0] === "tcp");
  const listener = listeners.find((one) => everywhere(setTo(one, "address"), 8200)) ?? listeners[0];
  const instead = 'Write: listener "tcp" { address = "[::]:8200", cluster_address = "[::]:8201", ... }';
  if (!listener)
    return [{ found: 'it has no listener "tcp"', why: "Every step speaks to Vault over HTTP.", instead }];
  const findings: Finding[] = [];
  const address = setTo(listener, "address");
  if (!everywhere(address, 8200))
    findings.push({
      found: `the listener's address is ${show(address)}`,
      why: "The probes ask 127.0.0.1:8200 in the pod, the other pods ask the pod's address on the same port.",
      instead,
    });
  const cluster = setTo(listener, "cluster_address");
  if (cluster !== undefined && !everywhere(cluster, 8201))
    findings.push({
      found: `the listener's cluster_address is ${show(cluster)}`,
      why: "The nodes look for each other on port 8201 (https://vault-N.vault-internal:8201).",
      instead,
    });
  const off = isTrue(setTo(listener, "tls_disable"));
  if (off !== !tls)
    findings.push({
      found: off ? "the listener's TLS is off" : "the listener's TLS is on",
      why: `The probes, the steps and the other nodes speak ${tls ? "HTTPS" : "HTTP"} to it in this stack.`,
      instead: tls ? "Remove tls_disable." : "Write tls_disable = 1 in the listener.",
    });
  return findings;
}

export function checkStorage(body: Body, performanceMultiplier: number): Finding[] {
  const storages = body.blocks.filter(({ type }) => type === "storage" || type === "ha_storage");
  const [storage] = storages;
  const instead = 'Write: storage "raft" { path = "/vault/data" }';
  if (storages.length !== 1 || storage?.type !== "storage" || storage.labels[0] !== "raft")
    return [
      {
        found:
          storages.length === 0
            ? "it has no storage"
            : `its storage is ${storages.map((s) => [s.type, ...s.labels].join(" ")).join(" and ")}`,
        why: "The nodes form one Vault by joining over Raft, which only works on Raft's own storage.",
        instead,
      },
    ];
  const findings: Finding[] = [];
  const path = setTo(storage, "path");
  if (path !== "/vault/data" && path !== "/vault/data/")
    findings.push({
      found: `the storage path is ${show(path)}`,
      why: "The volume is mounted at /vault/data; what lies elsewhere is gone when the pod restarts.",
      instead,
    });
  if (
    storage.body.blocks.some(({ type }) => type === "retry_join") ||
    setTo(storage, "retry_join") !== undefined
  )
    findings.push({
      found: "the storage has retry_join",
      why: "The nodes would join by themselves and all at once, which can eject one again (hashicorp/vault#32099); the program joins them one at a time and waits for each to be a voter.",
      instead: "Remove retry_join.",
    });
  const multiplier = setTo(storage, multiplierKey);
  if (multiplier !== undefined && `${multiplier}` !== `${performanceMultiplier}`)
    findings.push({
      found: `the storage's ${multiplierKey} is ${show(multiplier)}`,
      why: `This stack's is ${performanceMultiplier} (raft.performanceMultiplier), and the program writes it there.`,
      instead: `Remove it, and: pulumi config set raft.performanceMultiplier ${
        /^([1-9]|10)$/.test(`${multiplier}`) ? multiplier : "<1 to 10>"
      }`,
    });
  return findings;
}

export function checkRest(body: Body): Finding[] {
  const findings: Finding[] = [];
  for (const seal of body.blocks.filter(isEnabledSeal))
    findings.push({
      found: `it has seal ${show(seal.labels[0])}`,
      why: "With one, initialisation gives recovery shares instead of the key shares with which the program unseals, so the program has to know it: it is a setting.",
      instead: "Remove it, and: pulumi config set vault.seal.type <transit, awskms, ...> (docs/seal.md)",
    });
  if (!body.blocks.some(({ type, labels }) => type === "service_registration" && labels[0] === "kubernetes"))
    findings.push({
      found: 'it has no service_registration "kubernetes"',
      why: "Vault labels its pods through it; the services vault-active and vault-standby find no pod without these labels.",
      instead: 'Write: service_registration "kubernetes" {}',
    });
  if (isTrue(attribute(body, "disable_clustering")?.value))
    findings.push({
      found: "disable_clustering is on",
      why: "Nodes that do not form a cluster cannot take over from each other.",
      instead: "Remove disable_clustering.",
    });
  return findings;
}

export function checkTelemetry(body: Body): Finding[] {
  return telemetryOtherwise(body).map((found) => ({
    found: `in its telemetry, ${found}`,
    why: "This stack's nodes tell their metrics as docs/metrics.md has it (telemetry.enabled), and the program writes what that takes.",
    instead: "Remove it; or write the whole stanza yourself, and: pulumi config set telemetry.enabled false",
  }));
}

/** An address that listens on every interface, at this port. */
const everywhere = (address: Value | undefined, port: number) =>
  typeof address === "string" && ["[::]", "0.0.0.0", ""].some((host) => address === `${host}:${port}`);
