/**
 * A container beside Vault that has it take up a renewed certificate. Whoever renews a Secret (cert-manager) does so at
 * any time, when nobody runs Pulumi; the kubelet brings it into the pods, and Vault reads it only when it is told to.
 */
import { hangUp } from "../steps/lib/vault-process.ts";

/** How often it looks, in seconds. */
const everySeconds = 10;
/**
 * How long the node that leads lets the others go first, in seconds. A kubelet looks once a minute whether a Secret has
 * changed, and may look into a cache that is as old: https://kubernetes.io/docs/concepts/configuration/secret/
 */
const leaderWaitsSeconds = 120;

/** The script. `folder` holds tls.crt, tls.key and ca.crt. */
export const watchScript = (folder: string): string => `
now() { cat ${folder}/tls.crt ${folder}/tls.key ${folder}/ca.crt | sha256sum; }
loaded=$(now)
cp ${folder}/ca.crt "$VAULT_CACERT"
while sleep ${everySeconds}; do
  found=$(now)
  [ "$found" = "$loaded" ] && continue
  if vault status | grep -Eq '^HA Mode +active'; then
    echo 'the certificate is renewed; this node leads and waits ${leaderWaitsSeconds} s, so that the standbys are first'
    sleep ${leaderWaitsSeconds}
    found=$(now)
  fi
  ${hangUp.replaceAll("\n", "\n  ")}
  loaded=$found
  cp ${folder}/ca.crt "$VAULT_CACERT"
  echo 'Vault was told to read its renewed certificate'
done
`;

/** The container, for the chart's server.extraContainers; it needs server.shareProcessNamespace. */
export function certificateWatch(image: { repository: string; tag: string }, mount: object, folder: string) {
  return {
    name: "certificate-watch",
    image: `${image.repository}:${image.tag}`,
    command: ["/bin/sh", "-c", watchScript(folder)],
    env: [
      { name: "VAULT_ADDR", value: "https://127.0.0.1:8200" },
      // The authority of the certificate that Vault shows now, which a renewed one in the folder may not be.
      { name: "VAULT_CACERT", value: "/tmp/vault-ca.crt" },
    ],
    volumeMounts: [mount],
    resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "128Mi" } },
  };
}
