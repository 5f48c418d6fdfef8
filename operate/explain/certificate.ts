import { isIP } from "node:net";
import { ownTlsSecret } from "../../components/pod-tls.ts";
import type { Settings } from "../../config.ts";
import { shellWord } from "../../setup/shell-word.ts";
import { authorityDays, certificateDays, renewDays, serverNames } from "../../steps/lib/certificates.ts";
import type { ExplainedStep } from "./steps.ts";

/** The certificate that Vault shows; nothing where it speaks HTTP. By hand: openssl, and a Secret of what it makes. */
export function explainedCertificate({ vault }: Settings): ExplainedStep[] {
  const { tls, namespace } = vault;
  if (tls === undefined) return [];
  const names = serverNames(vault);
  const createSecret = (name: string, cert: string, key: string, authority: string) =>
    `kubectl --namespace ${namespace} create secret generic ${name} --type kubernetes.io/tls --from-file tls.crt=${shellWord(cert)} --from-file tls.key=${shellWord(key)} --from-file ca.crt=${shellWord(authority)}`;
  const createNamespace = `kubectl create namespace ${namespace}`;
  const needed = `Names: ${names.join(", ")}.`;
  switch (tls.source) {
    case "selfSigned":
      return [
        {
          title: "an authority of the stack's own, and Vault's certificate",
          resources: ["vault-namespace", "vault-tls-authority", "vault-tls-certificate", "vault-tls-secret"],
          byHand: [
            createNamespace,
            `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days ${authorityDays} -subj '/CN=vault-ha' -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.crt`,
            `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days ${certificateDays} -subj /CN=vault -CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE -addext 'subjectAltName=${names.map((name) => `${isIP(name) ? "IP" : "DNS"}:${name}`).join(",")}' -keyout tls.key -out tls.crt`,
            createSecret(ownTlsSecret, "tls.crt", "tls.key", "ca.crt"),
          ],
          here: [
            `The authority is made once per stack; its key lies in the state, encrypted, and nowhere else. The certificate is renewed by the first update after ${certificateDays - renewDays} days.`,
            "A renewed certificate goes into the Secret, and each node takes it up without a restart (rollout).",
          ],
          trap: "A wildcard right under vault-internal is taken by Vault and refused by OpenSSL and curl, so each node's name stands there by itself, too.",
        },
      ];
    case "files":
      return [
        {
          title: "Vault's certificate, from files",
          resources: ["vault-namespace", "vault-tls-secret"],
          byHand: [createNamespace, createSecret(ownTlsSecret, tls.certFile, tls.keyFile, tls.caFile)],
          here: [
            `Refused before anything is made where it has expired, or does not fit its key, its authority or the names. ${needed}`,
          ],
        },
      ];
    case "secret":
      return [
        {
          title: `Vault's certificate, from the Secret ${tls.secretName}, which somebody else makes and renews`,
          resources: ["vault-namespace", "vault-tls-found"],
          byHand: [createNamespace, createSecret(tls.secretName, "tls.crt", "tls.key", "ca.crt")],
          here: [
            `Waited for by a first run. Looked at in every run, and refused before Vault is touched where it has expired, or does not fit its key, its authority or the names. ${needed}`,
            "A container beside Vault (certificate-watch) has it take up a renewed certificate, also when nobody runs Pulumi.",
          ],
        },
      ];
  }
}
