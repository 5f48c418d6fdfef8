import { join } from "node:path";
import { z } from "zod";
import { NotYet } from "./errors.ts";
import type { Kube } from "./kube.ts";

/** The volume of the Secret in the pods, and where they find its files. */
export const tlsVolume = "vault-tls";
export const tlsFolder = "/vault/tls";

/** The path of the file with the authority of a stack's Vault, for people and their tools. */
export function authorityPath(stackDir: string): string {
  return join(stackDir, "vault-ca.crt");
}

/** What a Secret of type kubernetes.io/tls holds, as cert-manager makes it; all PEM. */
export interface TlsSecret {
  /** The server's certificate, and what lies between it and its authority. */
  cert: string;
  /** The certificate's private key. */
  key: string;
  /** The authority that clients trust. */
  caCert: string;
}

const base64 = z.string().transform((text) => Buffer.from(text, "base64").toString());
const Secret = z.object({
  data: z.object({ "tls.crt": base64, "tls.key": base64, "ca.crt": base64 }).partial().default({}),
});

/** The TLS Secret of a namespace; what it does not hold is empty. undefined where there is no such Secret. */
export async function findTlsSecret(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<TlsSecret | undefined> {
  const found = await kube.get(`/api/v1/namespaces/${namespace}/secrets/${name}`, Secret, signal);
  if (found === undefined) return undefined;
  const { "tls.crt": cert = "", "tls.key": key = "", "ca.crt": caCert = "" } = found.data;
  return { cert, key, caCert };
}

/** As findTlsSecret. Throws NotYet where there is no such Secret. */
export async function tlsSecretOf(
  kube: Kube,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<TlsSecret> {
  const found = await findTlsSecret(kube, namespace, name, signal);
  if (found === undefined) throw new NotYet(noTlsSecret(namespace, name));
  return found;
}

/** What is said of a Secret that is not there. */
export function noTlsSecret(namespace: string, name: string): string {
  return `there is no Secret ${name} in namespace ${namespace}`;
}
