/** The Secret from which Vault's pods have their certificate. */
import type { TlsSettings } from "../settings/choices.ts";

/** The Secret of a certificate that this program makes, or brings in files. */
export const ownTlsSecret = "vault-server-tls";

/** The Secret that the pods serve. */
export interface PodTls {
  secretName: string;
  /** Somebody else renews it, so each pod has to see to it itself. */
  watched?: boolean;
}

/** The Secret that a stack's pods serve; undefined where Vault speaks HTTP. */
export function podTls(tls: TlsSettings | undefined): PodTls | undefined {
  if (tls?.source === "secret") return { secretName: tls.secretName, watched: true };
  return tls && { secretName: ownTlsSecret };
}
