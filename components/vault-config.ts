/** What Vault's own configuration (`server.ha.raft.config`) has to say so that its nodes can be raised and joined. */
import type { SealSettings } from "../settings/seals.ts";
import { attribute, type Body, isTrue, parseHcl, setTo } from "./hcl.ts";
import { show } from "./values-file.ts";
import {
  checkListener,
  checkRest,
  checkStorage,
  checkTelemetry,
  type Finding,
  multiplierKey,
} from "./vault-config-checks.ts";
import { addSeal } from "./vault-seal.ts";
import { addTelemetry, afterBrace } from "./vault-telemetry.ts";

/** Where the pods find the listener's certificate, key and authority. */
export interface TlsFiles {
  cert: string;
  key: string;
}

/** What a stack's settings say about Vault's configuration. */
export interface ConfigDecided {
  /** Raft's timers times this; Vault's own is 5. */
  performanceMultiplier: number;
  /** With these, a listener whose TLS is off is given them. */
  tls?: TlsFiles | undefined;
  /** Each node tells its metrics to whoever asks. */
  telemetry?: boolean;
  /** What unseals the nodes by itself; undefined: key shares do. */
  seal?: SealSettings | undefined;
}

/** Checks a configuration, and gives its text with what the settings decide written into it. */
export function checkVaultConfig(
  text: unknown,
  { performanceMultiplier, tls, telemetry = false, seal }: ConfigDecided,
): { text: string; findings: Finding[] } {
  if (typeof text !== "string")
    return { text: "", findings: [unreadable(`it is ${show(text)}, not a text`)] };
  if (text.trimStart().startsWith("{")) return { text, findings: [unreadable("it is written as JSON")] };
  try {
    const withTls = tls ? turnTlsOn(text, parseHcl(text), tls) : text;
    const body = parseHcl(withTls);
    const set = setMultiplier(withTls, body, performanceMultiplier);
    const told = telemetry ? addTelemetry(set) : set;
    return {
      text: seal ? addSeal(told, seal) : told,
      findings: [
        ...checkListener(body, tls !== undefined),
        ...checkStorage(body, performanceMultiplier),
        ...checkRest(body),
        ...(telemetry ? checkTelemetry(body) : []),
      ],
    };
  } catch (error) {
    return { text, findings: [unreadable((error as Error).message)] };
  }
}

/** Where nothing is written: https://developer.hashicorp.com/vault/docs/configuration/storage/raft#performance_multiplier */
const vaultsOwnMultiplier = 5;

/**
 * Raft's multiplier as a configuration has it, Vault's own where it has none; undefined where it cannot be read, which
 * `checkVaultConfig` reports.
 */
export function performanceMultiplierOf(text: unknown): string | undefined {
  try {
    const { blocks } = parseHcl(String(text));
    const raft = blocks.find(({ type, labels }) => type === "storage" && labels[0] === "raft");
    const found = raft && setTo(raft, multiplierKey);
    return String(found ?? vaultsOwnMultiplier);
  } catch {
    return undefined;
  }
}

const unreadable = (found: string): Finding => ({
  found,
  why: "The program reads this configuration to see that the nodes can be reached, joined and unsealed.",
  instead: "Write it as examples/vault-ha-values.yaml does.",
});

/** Writes the multiplier into each Raft storage that does not have it. */
function setMultiplier(text: string, body: Body, multiplier: number): string {
  if (multiplier === vaultsOwnMultiplier) return text;
  return body.blocks
    .filter((block) => block.type === "storage" && block.labels[0] === "raft")
    .filter((block) => setTo(block, multiplierKey) === undefined)
    .reverse()
    .reduce((whole, { inner }) => afterBrace(whole, inner, [`${multiplierKey} = ${multiplier}`]), text);
}

/** Last position first, so that the places of the others still hold. */
function turnTlsOn(text: string, body: Body, { cert, key }: TlsFiles): string {
  return body.blocks
    .filter((block) => block.type === "listener" && isTrue(setTo(block, "tls_disable")))
    .map((block) => attribute(block.body, "tls_disable"))
    .filter((found) => found !== undefined)
    .reverse()
    .reduce((whole, { start, end }) => {
      const indent = /[^\S\n]*$/.exec(whole.slice(0, start))?.[0] ?? "";
      const lines = `tls_cert_file = ${JSON.stringify(cert)}\n${indent}tls_key_file = ${JSON.stringify(key)}`;
      return whole.slice(0, start) + lines + whole.slice(end);
    }, text);
}
