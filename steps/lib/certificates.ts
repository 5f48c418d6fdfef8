/** What a server certificate has to be so that everybody who speaks to Vault can trust it. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { words } from "./errors.ts";
import { hasPeerWildcard, peerName, podNames } from "./road.ts";
import type { TlsSecret } from "./tls-secret.ts";

/** With fewer days left than this, a certificate is to be renewed. */
export const renewDays = 30;

/** How long a certificate of the stack's own is good for: the longest that some clients accept is 398 days. */
export const certificateDays = 365;

/** And the stack's authority: as long as a cluster may live, since whoever trusts it has to be told of another one. */
export const authorityDays = 3650;

/** The greatest value of the setting vault.replicas. */
const mostReplicas = 7;

export const dayMs = 24 * 60 * 60 * 1000;

/** Where Vault is called. */
export interface Called {
  namespace: string;
  /** Its host behind the ingress. */
  host: string;
}

/** Every name under which Vault is called, in the cluster and from outside; addresses among them. */
export function serverNames({ namespace, host }: Called): string[] {
  return [
    "vault",
    `vault.${namespace}`,
    `vault.${namespace}.svc`,
    "vault-active",
    "vault-internal",
    // Clients that go by OpenSSL's rules take no wildcard right under a top-level name; so each node by itself, too, and
    // all that there may be: a stack that grows keeps its certificate.
    peerName("*"),
    ...podNames(mostReplicas).map(peerName),
    "localhost",
    "127.0.0.1",
    host,
  ];
}

/**
 * The names without which this program's own Vault cannot be used: each pod's (steps and joins), the pod's own
 * loopback (the `vault` command there), this machine's port, the ingress. A certificate of an outside authority
 * can hardly have all of `serverNames`.
 */
export function namesNeeded(pods: readonly string[], host: string): string[] {
  return [...pods.map(peerName), "127.0.0.1", "localhost", host];
}

/** A certificate's SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` writes it. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** How many whole days a certificate is still good for; negative where it has expired. */
export function daysLeft(validTo: Date, now = Date.now()): number {
  return Math.floor((validTo.getTime() - now) / dayMs);
}

/**
 * Everything that keeps a certificate from being used, one sentence each: it cannot be read, is not good at this time,
 * does not fit its key, its authority or the names. None where it is good.
 */
export function certificateProblems(
  { cert, key, caCert }: TlsSecret,
  names: readonly string[],
  now = Date.now(),
): string[] {
  const problems: string[] = [];
  const read = <T>(what: string, pem: string, parse: (pem: string) => T): T | undefined => {
    if (pem.trim() === "") problems.push(`there is no ${what}`);
    else
      try {
        return parse(pem);
      } catch (error) {
        // OpenSSL's words name what it missed, never the text that it read.
        problems.push(`the ${what} cannot be read as PEM: ${words(error)}`);
      }
    return undefined;
  };
  const chain = read("certificate (tls.crt)", cert, certificatesIn);
  const authorities = read("authority (ca.crt)", caCert, certificatesIn);
  const privateKey = read("private key (tls.key)", key, createPrivateKey);

  const [server] = chain ?? [];
  if (server === undefined) return problems;
  const { validFromDate, validToDate } = server;
  if (validToDate.getTime() <= now) problems.push(`the certificate expired on ${day(validToDate)}`);
  if (validFromDate.getTime() > now)
    problems.push(`the certificate is not valid before ${day(validFromDate)}`);
  if (privateKey !== undefined && !server.checkPrivateKey(privateKey))
    problems.push("the private key is not that of the certificate");
  const missing = names.filter((name) => !isFor(server, name));
  if (missing.length > 0)
    problems.push(
      `the certificate is not for ${missing.join(", ")}; it is for ${server.subjectAltName ?? "no name at all"}`,
    );
  if (chain !== undefined && authorities !== undefined)
    problems.push(...chainProblems(chain, authorities, now));
  return problems;
}

/** Whether the certificates lead, each signed by the next, to one of the authorities. */
function chainProblems(chain: X509Certificate[], authorities: X509Certificate[], now: number): string[] {
  const signs = (signer: X509Certificate, one: X509Certificate) =>
    one.checkIssued(signer) && one.verify(signer.publicKey);
  let [last] = chain;
  for (const next of chain.slice(1)) if (last !== undefined && signs(next, last)) last = next;
  const authority = authorities.find(
    (one) => last !== undefined && (one.raw.equals(last.raw) || signs(one, last)),
  );
  if (authority === undefined)
    return [`the authority did not sign the certificate (issuer: ${oneLine(last?.issuer)})`];
  if (authority.validToDate.getTime() <= now)
    return [`the authority expired on ${day(authority.validToDate)}`];
  return [];
}

const isFor = (certificate: X509Certificate, name: string) =>
  hasPeerWildcard(name, certificate.subjectAltName) ||
  (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name, { subject: "never" })) !== undefined;

/** Each certificate of a PEM text. Throws where there is none. */
function certificatesIn(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (found === null) throw new Error("no BEGIN CERTIFICATE in it");
  return found.map((one) => new X509Certificate(one));
}

const day = (date: Date) => date.toISOString().slice(0, 10);
const oneLine = (text: string | undefined) => (text ?? "none").trim().replaceAll("\n", ", ");
