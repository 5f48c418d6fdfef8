import { poll } from "../../../setup/processes.ts";
import { openKube } from "../../../steps/lib/kube.ts";
import { type TlsSecret, tlsFolder, tlsSecretOf } from "../../../steps/lib/tls-secret.ts";
import { hangUp } from "../../../steps/lib/vault-process.ts";
import { Authority, secretTexts } from "../../support/authority.ts";
import type { ClusterTools } from "../../support/cluster-tools.ts";
import type { Fault } from "./fault.ts";

const secret = "vault-server-tls";

/** Faults of Vault's certificate, of a stack that makes it itself. No container ends. */
export function certificateFaults(tools: ClusterTools): Fault[] {
  const put = (tls: TlsSecret) => tools.patch("secret", secret, { stringData: secretTexts(tls) });
  /** Has every node read what the Secret holds, as soon as the kubelet has brought it. */
  const takeUp = async ({ cert }: TlsSecret) => {
    for (const pod of tools.pods) {
      // The kubelet looks after a pod that was changed at once.
      await tools.kubectl("annotate", "pod", pod, `vault-ha/test=${Date.now()}`, "--overwrite");
      const there = async () =>
        (
          await tools.kubectl("exec", pod, "--container", "vault", "--", "cat", `${tlsFolder}/tls.crt`)
        ).trim() === cert.trim() || undefined;
      if (!(await poll(there, { forMs: 150_000, everyMs: 500 })))
        throw new Error(`${pod} has not the new Secret`);
      await tools.kubectl("exec", pod, "--container", "vault", "--", "sh", "-c", hangUp);
    }
  };
  const undo = () => tools.looks.follow("pulumi up");
  const remake = /^pulumi up --stack \S+ --refresh --replace '\*\*vault-tls-certificate'$/m;
  return [
    {
      title: "a certificate that has expired",
      make: async () => {
        const expired = await (await Authority.make("somebody else's")).issue({ from: -30, until: -1 });
        await put(expired);
        await takeUp(expired);
      },
      undo,
      expect: {
        id: "certificate-expired",
        evidence:
          /by somebody else's, good from \S+ until \S+\n.* => the certificate expired on \d{4}-\d\d-\d\d$/,
        next: remake,
        verdict: "down",
      },
    },
    {
      title: "a node whose certificate is of another authority than the Secret's, which it has not taken up",
      make: async () => put(await (await Authority.make("somebody else's")).issue()),
      undo,
      expect: {
        id: "certificate-refused",
        evidence:
          /a TLS connection to vault-\d as vault-\d\.vault-internal, .* => .*not signed by the authority/,
        next: remake,
        verdict: "down",
      },
    },
    {
      title: "nodes that show another certificate than the Secret holds",
      make: async () => {
        const kube = await openKube(tools.kubeconfig);
        const { caCert } = await tlsSecretOf(kube, "vault", secret, AbortSignal.timeout(10_000));
        const other = await Authority.make("somebody else's");
        // As where an authority is changed for another: both are trusted meanwhile.
        await put({ ...(await other.issue()), caCert: `${caCert}${other.caCert}` });
      },
      undo,
      expect: {
        id: "certificate-other",
        evidence: /the certificate that it shows => .*by vault-ha.*\n.*tls\.crt => .*by somebody else's/,
        next: remake,
        verdict: "degraded",
      },
    },
    {
      title: "the Secret of the certificate deleted",
      make: async () => void (await tools.kubectl("delete", "secret", secret)),
      undo,
      expect: {
        id: "certificate-missing",
        evidence: /there is no Secret vault-server-tls in namespace vault/,
        next: remake,
        verdict: "down",
      },
    },
  ];
}
