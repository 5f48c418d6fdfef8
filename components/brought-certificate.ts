/** A certificate that somebody else has made, in files or in a Secret: read and checked before anything is declared. */
import { existsSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { certificateProblems, namesNeeded } from "../steps/lib/certificates.ts";
import { kubeconfigPath } from "../steps/lib/cluster.ts";
import { Unreachable, words } from "../steps/lib/errors.ts";
import { openKube } from "../steps/lib/kube.ts";
import { podNames } from "../steps/lib/road.ts";
import { findTlsSecret, type TlsSecret } from "../steps/lib/tls-secret.ts";

/**
 * The certificate of the sources files and secret; undefined for the stack's own, and for a Secret that cannot be looked
 * at now: before there is a cluster, or while nobody has made it (a step waits for that).
 * @throws RunError that lists every problem: it has expired, does not fit its key, its authority or the names
 */
export async function loadCertificate(
  vault: Settings["vault"],
  stackDir: string,
): Promise<TlsSecret | undefined> {
  const { tls, namespace, replicas, host } = vault;
  if (tls === undefined || tls.source === "selfSigned") return undefined;
  const found = tls.source === "files" ? readFiles(tls) : await lookAt(tls.secretName, namespace, stackDir);
  if (found === undefined) return undefined;
  const problems = certificateProblems(found, namesNeeded(podNames(replicas), host));
  if (problems.length === 0) return found;
  const [what, look] =
    tls.source === "files"
      ? [tls.certFile, `openssl x509 -in ${tls.certFile} -noout -dates -issuer -ext subjectAltName`]
      : [
          `Secret ${tls.secretName}`,
          `kubectl --kubeconfig ${kubeconfigPath(stackDir)} --namespace ${namespace} describe secret ${tls.secretName}`,
        ];
  throw refusal(what, problems, look);
}

function readFiles(tls: { certFile: string; keyFile: string; caFile: string }): TlsSecret {
  const problems: string[] = [];
  const read = (key: "certFile" | "keyFile" | "caFile"): string => {
    try {
      return readFileSync(tls[key], "utf8");
    } catch (error) {
      problems.push(`vault.tls.${key}: ${words(error)}`);
      return "";
    }
  };
  const files = { cert: read("certFile"), key: read("keyFile"), caCert: read("caFile") };
  if (problems.length > 0)
    throw refusal(tls.certFile, problems, `ls -l ${tls.certFile} ${tls.keyFile} ${tls.caFile}`);
  return files;
}

async function lookAt(name: string, namespace: string, stackDir: string): Promise<TlsSecret | undefined> {
  const kubeconfig = kubeconfigPath(stackDir);
  if (!existsSync(kubeconfig)) return undefined;
  try {
    return await findTlsSecret(await openKube(kubeconfig), namespace, name, AbortSignal.timeout(10_000));
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}

function refusal(what: string, problems: readonly string[], look: string): pulumi.RunError {
  return new pulumi.RunError(
    `Vault's certificate (${what}) cannot be used; nothing was changed.\n  ${problems.join("\n  ")}\n    ${look}`,
  );
}
