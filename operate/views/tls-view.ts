import { X509Certificate } from "node:crypto";
import { certificateProblems, daysLeft, namesNeeded } from "../../steps/lib/certificates.ts";
import { openKube } from "../../steps/lib/kube.ts";
import { certificateOn, type Road } from "../../steps/lib/road.ts";
import { type TlsProblem, TlsRefusal } from "../../steps/lib/tls-refusal.ts";
import { findTlsSecret, noTlsSecret, type TlsSecret } from "../../steps/lib/tls-secret.ts";
import type { Answer } from "./answer.ts";
import type { Subject } from "./subject.ts";

/** A server certificate. */
export interface CertificateSeen {
  /** SHA-256, as `openssl x509 -fingerprint -sha256` writes it. */
  fingerprint: string;
  /** The common name of the authority that signed it; where it has none, its whole name. */
  issuer: string;
  /** ISO 8601. */
  validFrom: string;
  validTo: string;
  /** Whole days from now on; negative where it has expired. */
  daysLeft: number;
}

/** How a node speaks to its clients, as the connection to it showed. Nothing is known of one that did not answer. */
export interface NodeTls {
  speaks?: "http" | "https";
  /** The certificate that it shows, which was verified. */
  shows?: CertificateSeen;
  /** Why nothing was asked: its certificate cannot be trusted, or it shows none. */
  refused?: { problem: TlsProblem; words: string };
}

/** What the Secret of Vault's certificate holds. Never the key. */
export interface SecretHolds {
  /** Absent where there is no such Secret, or no certificate can be read in it. */
  certificate?: CertificateSeen;
  /** Everything that keeps it from being used, one sentence each. */
  problems: string[];
}

/** The Secret of Vault's certificate. */
export interface TlsView {
  secret: string;
  /** Who renews it: `up` by itself, `up` from files that somebody renews, or somebody else in the cluster. */
  madeBy: "stack" | "files" | "others";
  holds: Answer<SecretHolds>;
}

/** What is told of a certificate. */
export function certificateSeen(certificate: X509Certificate): CertificateSeen {
  const { fingerprint256: fingerprint, issuer, validFromDate, validToDate } = certificate;
  return {
    fingerprint,
    issuer: /^CN=(.+)$/m.exec(issuer)?.[1] ?? issuer.replaceAll("\n", ", "),
    validFrom: validFromDate.toISOString(),
    validTo: validToDate.toISOString(),
    daysLeft: daysLeft(validToDate),
  };
}

/** A road that notes in `tls` what each of its connections shows. */
export function notingRoad(road: Road, tls: NodeTls): Road {
  return {
    ...road,
    connect: async (node, signal) => {
      const stream = await road.connect(node, signal).catch((error) => {
        if (error instanceof TlsRefusal) tls.refused = { problem: error.problem, words: error.message };
        throw error;
      });
      const shown = certificateOn(stream);
      if (shown) tls.shows = certificateSeen(shown);
      return stream;
    },
  };
}

/** Looks at the Secret that the stack's pods serve; undefined where Vault speaks HTTP, or is not on Kubernetes. */
export async function tlsView(
  { target, resources, pods, host }: Subject,
  within: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<Answer<T>>,
): Promise<TlsView | undefined> {
  if (target?.scheme !== "https" || target.reach.kind !== "kubernetes") return undefined;
  const { kubeconfig, namespace, tlsSecret: secret } = target.reach;
  if (secret === undefined) return undefined;
  const has = (noun: string) => resources.some(({ urn }) => urn.endsWith(`::${noun}`));
  const holds = await within(async (signal): Promise<SecretHolds> => {
    const names = namesNeeded(pods, host());
    const found = await findTlsSecret(await openKube(kubeconfig), namespace, secret, signal);
    return found ? secretHolds(found, names) : { problems: [noTlsSecret(namespace, secret)] };
  });
  const madeBy = has("vault-tls-certificate") ? "stack" : has("vault-tls-secret") ? "files" : "others";
  return { secret, madeBy, holds };
}

function secretHolds(found: TlsSecret, names: readonly string[]): SecretHolds {
  const problems = certificateProblems(found, names);
  try {
    return { certificate: certificateSeen(new X509Certificate(found.cert)), problems };
  } catch {
    // That it cannot be read is among the problems.
    return { problems };
  }
}
