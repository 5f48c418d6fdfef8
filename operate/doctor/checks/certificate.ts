import { renewDays } from "../../../steps/lib/certificates.ts";
import { dayOf, daysInWords, shortFingerprint } from "../../status/names.ts";
import { commandsOf } from "../../views/commands.ts";
import { renewal, secretFault } from "../../views/renewal.ts";
import type { CertificateSeen, TlsView } from "../../views/tls-view.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Asked, Check, Finding, NotLooked } from "../finding.ts";

/** Whether the nodes show the certificate that the Secret holds, and clients can trust it. */
export const certificate: Check = {
  looks: `Vault's certificate: the Secret, its key, names, authority and time (${renewDays} days have to be left), and what each node shows`,
  *find(evidence) {
    if (evidence.tls) yield* ofSecret(evidence, evidence.tls);
    for (const node of evidence.subject.pods) yield* ofNode(evidence, node);
  },
};

function* ofSecret({ subject, kubernetes }: Evidence, tls: TlsView): Iterable<Finding | NotLooked> {
  const { secret, holds } = tls;
  // A Kubernetes that does not answer is told by its own check.
  if (holds.failed !== undefined && kubernetes?.failed === undefined)
    yield { notLooked: `the Secret ${secret}: ${holds.failed}` };
  if (!holds.value) return;
  const { certificate, problems } = holds.value;
  const { how, next } = renewal(subject, tls);
  const fault = secretFault(tls);
  if (fault !== undefined)
    yield {
      id: fault,
      nodes: [],
      wrong: `Vault's certificate cannot be used: ${problems[0]}`,
      ...(fault === "certificate-expired" && certificate && { since: certificate.validTo }),
      evidence: [
        ...heldBy(tls),
        { asked: `what is wrong with the Secret ${secret}`, answered: problems.join("\n") },
      ],
      means: `No client trusts it, nor does this program or a node that joins. Data and the nodes' own connections (port 8201) are not touched. The way out: ${how}.`,
      next: [next],
    };
  else if (certificate && certificate.daysLeft < renewDays)
    yield {
      id: "certificate-ends-soon",
      nodes: [],
      wrong: `Vault's certificate ends in ${daysInWords(certificate.daysLeft)}`,
      evidence: heldBy(tls),
      means: `After that no client trusts Vault. A new one reaches every node without a restart. The way out: ${how}.`,
      next: [tls.madeBy === "stack" ? commandsOf(subject).up : next],
    };
}

function* ofNode(evidence: Evidence, node: string): Iterable<Finding> {
  const { subject, nodeTls, tls } = evidence;
  const { up, kubectl } = commandsOf(subject);
  const { speaks, shows, refused } = nodeTls[node] ?? {};
  const wanted = subject.target?.scheme;
  const held = tls?.holds.value?.certificate;
  if (refused)
    yield {
      id: "certificate-refused",
      nodes: [node],
      wrong: `the TLS of ${node} is not trusted: ${refused.words}`,
      evidence: [
        {
          asked: `a TLS connection to ${node} as ${node}.vault-internal${tls ? `, trusting ca.crt of the Secret ${tls.secret}` : ""}`,
          answered: refused.words,
        },
        ...(tls ? heldBy(tls) : []),
      ],
      means:
        "Nothing was asked of this Vault, since it cannot be told from somebody else's. It may serve well.",
      next: refused.problem === "no TLS" ? [up] : takenUp(evidence, node),
    };
  else if (speaks !== undefined && wanted !== undefined && speaks !== wanted)
    yield {
      id: "other-scheme",
      nodes: [node],
      wrong: `${node} speaks ${speaks.toUpperCase()}, and the stack says ${wanted.toUpperCase()}`,
      evidence: [
        {
          asked: `kubectl get pod ${node}: VAULT_ADDR, by which it was asked with success`,
          answered: `${speaks}://`,
        },
        { asked: "Pulumi's state: values of Vault's release", answered: `${wanted}://` },
      ],
      means:
        "TLS was turned on or off, and the run that restarts the nodes one by one was cut off before it came to this one. It serves as before, to clients that speak as it does.",
      next: [up],
    };
  else if (tls && shows && held && shows.fingerprint !== held.fingerprint)
    yield {
      id: "certificate-other",
      nodes: [node],
      wrong: `${node} shows another certificate than the Secret ${tls.secret} holds`,
      evidence: [
        { asked: `a TLS connection to ${node}: the certificate that it shows`, answered: described(shows) },
        ...heldBy(tls),
      ],
      means:
        tls.madeBy === "others"
          ? "The Secret was renewed. The kubelet brings it into the pod within some minutes, and the container certificate-watch has Vault read it then, on the node that leads two minutes later."
          : "The Secret was renewed, and the run that has the nodes take it up was cut off.",
      next:
        tls.madeBy === "others"
          ? [kubectl(`logs ${node} --container certificate-watch`)]
          : takenUp(evidence, node),
    };
}

/** What has a node take up a good certificate. */
function takenUp({ subject, tls }: Evidence, node: string): string[] {
  if (tls === undefined) return [commandsOf(subject).kubectl(`logs ${node} --tail 50`)];
  const { next } = renewal(subject, tls);
  if (secretFault(tls) !== undefined) return [next];
  if (tls.madeBy === "others")
    return [commandsOf(subject).kubectl(`logs ${node} --container certificate-watch`), next];
  const { up } = commandsOf(subject);
  return [up, ...(next === up ? [] : ["# where it shows the same afterwards:", next])];
}

function heldBy({ secret, holds }: TlsView): Asked[] {
  const answered = holds.value?.certificate ? described(holds.value.certificate) : "none that can be read";
  return [{ asked: `Secret ${secret}: the certificate in tls.crt`, answered }];
}

function described(certificate: CertificateSeen): string {
  const { issuer, validFrom, validTo } = certificate;
  return `${shortFingerprint(certificate)}, by ${issuer}, good from ${dayOf(validFrom)} until ${dayOf(validTo)}`;
}
