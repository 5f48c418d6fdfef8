import type { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  connect as connectTls,
  type PeerCertificate,
  TLSSocket,
  checkServerIdentity as usualCheck,
} from "node:tls";
import type { Way } from "./target.ts";
import { tlsRefusal } from "./tls-refusal.ts";

/** The port of Vault's API in its pods. 8201 is the cluster port. */
export const apiPort = 8200;

/** The way to Vault's nodes: their API from here, and what is known about them beside Vault. */
export interface Road {
  /** The name for the HTTP Host header. */
  host(node: string): string;
  /** A connection to the node's API, with TLS where the target says so. Works for pods that are not ready. */
  connect(node: string, signal: AbortSignal): Promise<Duplex>;
  /** The authority that signed the nodes' certificates, as PEM; undefined without TLS, and where it is one of the system's. */
  authority(signal: AbortSignal): Promise<string | undefined>;
  /** The API address under which other nodes reach this one, as join needs it. */
  peerAddress(node: string): string;
  /** What names the node's store (the UID of its PVC); undefined where that cannot be known. */
  storeOf(node: string, signal: AbortSignal): Promise<string | undefined>;
  /** What names the running process of a node (its container's id); undefined where that cannot be known. */
  processOf(node: string, signal: AbortSignal): Promise<string | undefined>;
  /** What names the Kubernetes cluster (the UID of its namespace kube-system); undefined where that cannot be known. */
  clusterOf(signal: AbortSignal): Promise<string | undefined>;
  /**
   * Takes away what a node has stored, and starts it again. Only for a store that nothing is lost with; absent where
   * that cannot be done from here.
   */
  emptyStore?(node: string, signal: AbortSignal): Promise<void>;
  /** Vault's last words about its seal, of the log of the node's process or of the one before; absent without logs. */
  lastWords?(node: string, signal: AbortSignal): Promise<string | undefined>;
  /** Why the node does not answer, as far as its surroundings know: its pod is not scheduled, crashes, is gone. */
  whyNot(node: string, signal: AbortSignal): Promise<string | undefined>;
}

/** The names of a release's pods, in the order in which they become voters. The chart names them after the release. */
export function podNames(replicas: number): string[] {
  return Array.from({ length: replicas }, (_, n) => `vault-${n}`);
}

/** The name that a node's certificate has to carry, and its DNS name in the cluster. */
export function peerName(node: string): string {
  return `${node}.vault-internal`;
}

/**
 * Whether a certificate is for all peers of the cluster, and the name is one of them. Go, and so Vault at its joins,
 * takes that wildcard (RFC 6125); Node, OpenSSL and curl want two dots behind the star.
 * @param names the certificate's subjectAltName, as Node writes it: "DNS:vault, DNS:*.vault-internal"
 */
export function hasPeerWildcard(name: string, names: string | undefined): boolean {
  return /^[^.]+\.vault-internal$/.test(name) && (names ?? "").split(", ").includes(`DNS:${peerName("*")}`);
}

/**
 * Puts TLS on a connection where the target asks for it, and checks that the certificate is good for the name.
 * @throws TlsRefusal where it is not
 */
export async function secured(
  stream: Duplex,
  servername: string,
  { scheme, caCert }: { scheme: Way["scheme"]; caCert?: string | undefined },
): Promise<Duplex> {
  if (scheme === "http") return stream;
  const checkServerIdentity = (name: string, shown: PeerCertificate) =>
    hasPeerWildcard(name, shown.subjectaltname) ? undefined : usualCheck(name, shown);
  const tls = connectTls({ socket: stream, servername, checkServerIdentity, ...(caCert && { ca: caCert }) });
  return connected(tls, "secureConnect").catch((error) => Promise.reject(tlsRefusal(error, servername)));
}

/** The certificate that a node shows, once it is checked as on every connection; undefined where it speaks HTTP. */
export async function shownCertificate(
  road: Road,
  node: string,
  signal: AbortSignal,
): Promise<X509Certificate | undefined> {
  const stream = await road.connect(node, signal);
  try {
    return certificateOn(stream);
  } finally {
    stream.destroy();
  }
}

/** The certificate of a connection's other side; undefined without TLS. */
export function certificateOn(stream: Duplex): X509Certificate | undefined {
  return stream instanceof TLSSocket ? stream.getPeerX509Certificate() : undefined;
}

/** Waits for a new connection to stand. */
export function connected<S extends Duplex>(stream: S, event = "connect"): Promise<S> {
  return new Promise((resolve, reject) => {
    stream.once("error", reject);
    stream.once("close", () => reject(new Error("the connection was closed while it was being made")));
    stream.once(event, () => {
      stream.off("error", reject);
      resolve(stream);
    });
  });
}
