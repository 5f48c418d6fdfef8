/** Reads the certificate that a stack brings in files (`vault.tls.source` files), and checks it. */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config.ts";
import { certificateProblems, namesNeeded } from "../steps/lib/certificates.ts";
import { words } from "../steps/lib/errors.ts";
import { podNames } from "../steps/lib/road.ts";
import type { TlsSecret } from "../steps/lib/tls-secret.ts";

/**
 * The files' content; undefined where the stack takes its certificate from elsewhere. To be called before anything is
 * declared: throws one error that lists every problem.
 */
export function loadTlsFiles({ tls, replicas, host }: Settings["vault"]): TlsSecret | undefined {
  if (tls?.source !== "files") return undefined;
  const problems: string[] = [];
  const read = (key: string, path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      problems.push(`${key}: ${words(error)}`);
      return "";
    }
  };
  const { certFile, keyFile, caFile } = tls;
  const files = {
    cert: read("vault.tls.certFile", certFile),
    key: read("vault.tls.keyFile", keyFile),
    caCert: read("vault.tls.caFile", caFile),
  };
  if (problems.length === 0)
    problems.push(...certificateProblems(files, namesNeeded(podNames(replicas), host)));
  if (problems.length === 0) return files;
  throw new pulumi.RunError(
    `The certificate in ${certFile} cannot be used; nothing was changed.\n  ${problems.join("\n  ")}\n    openssl x509 -in ${certFile} -noout -dates -issuer -ext subjectAltName`,
  );
}
