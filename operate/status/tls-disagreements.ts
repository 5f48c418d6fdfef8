import { renewDays } from "../../steps/lib/certificates.ts";
import { commandsOf, type Named } from "../views/commands.ts";
import { renewal, secretFault } from "../views/renewal.ts";
import type { Views } from "../views/views.ts";
import type { Disagreement } from "./disagreement.ts";
import { daysInWords, shortFingerprint } from "./names.ts";

/** What is wrong with the Secret of Vault's certificate. */
export function secretDisagreements(subject: Named, { tls, kubernetes }: Views): Disagreement[] {
  // A Kubernetes that does not answer is told once.
  if (tls === undefined || kubernetes?.failed !== undefined) return [];
  const { doctor, up } = commandsOf(subject);
  const { secret, holds } = tls;
  if (holds.failed !== undefined)
    return [
      { id: "certificate-unread", says: `the Secret ${secret} was not read: ${holds.failed}`, next: doctor },
    ];
  const { certificate, problems } = holds.value;
  const { how, next } = renewal(subject, tls);
  const fault = secretFault(tls);
  if (fault !== undefined)
    return [
      { id: fault, says: `Vault's certificate (Secret ${secret}): ${problems.join("; ")}; ${how}`, next },
    ];
  if (certificate === undefined || certificate.daysLeft >= renewDays) return [];
  const soon = tls.madeBy === "stack" ? { how: "npm run up renews it", next: up } : { how, next };
  return [
    {
      id: "certificate-ends-soon",
      says: `Vault's certificate (Secret ${secret}) ends in ${daysInWords(certificate.daysLeft)}; ${soon.how}`,
      next: soon.next,
    },
  ];
}

/** How a node speaks, and the certificate that it shows, against what the stack and the Secret say. */
export function nodeTlsDisagreements(
  subject: Named,
  { tls, nodeTls }: Views,
  node: string,
): [id: string, says: string, next: string][] {
  const { doctor, up, kubectl } = commandsOf(subject);
  const { speaks, shows, refused } = nodeTls[node] ?? {};
  const wanted = subject.target?.scheme;
  if (refused) return [["certificate-refused", `nothing was asked of Vault: ${refused.words}`, doctor]];
  if (speaks !== undefined && wanted !== undefined && speaks !== wanted)
    return [
      [
        "other-scheme",
        `it still speaks ${speaks.toUpperCase()}, the stack says ${wanted.toUpperCase()}: npm run up was cut off before it came to this node`,
        up,
      ],
    ];
  const held = tls?.holds.value?.certificate;
  if (
    tls === undefined ||
    shows === undefined ||
    held === undefined ||
    shows.fingerprint === held.fingerprint
  )
    return [];
  const says = `it shows certificate ${shortFingerprint(shows)}, the Secret ${tls.secret} holds ${shortFingerprint(held)}`;
  return tls.madeBy === "others"
    ? [
        [
          "certificate-other",
          `${says}; the pod takes it up by itself within some minutes`,
          kubectl(`logs ${node} --container certificate-watch`),
        ],
      ]
    : [["certificate-other", says, up]];
}
