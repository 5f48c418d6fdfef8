import { commandsOf, type Named } from "./commands.ts";
import type { TlsView } from "./tls-view.ts";

/**
 * How a good certificate comes into the Secret, and what to type. It reaches the nodes without a restart. Of a Secret
 * that was changed or deleted by hand, Pulumi knows only after a refresh.
 */
export function renewal(
  subject: Named,
  { secret, madeBy }: Pick<TlsView, "secret" | "madeBy">,
): { how: string; next: string } {
  const refresh = `pulumi up --stack ${subject.stack} --refresh`;
  switch (madeBy) {
    case "stack":
      return {
        how: "the command below makes a new one",
        next: `${refresh} --replace '**vault-tls-certificate'`,
      };
    case "files":
      return {
        how: "put a good one into the files of vault.tls.certFile, keyFile and caFile, and have it taken up",
        next: refresh,
      };
    case "others":
      return {
        how: "whoever makes that Secret has to renew it; the pods take it up by themselves within some minutes",
        next: commandsOf(subject).kubectl(`describe secret ${secret}`),
      };
  }
}

/** What is wrong with a Secret's content, by the name of its kind; undefined where nothing is. */
export function secretFault({ holds }: TlsView, now = Date.now()): string | undefined {
  const { certificate, problems } = holds.value ?? {};
  if (holds.value === undefined) return undefined;
  if (certificate === undefined) return "certificate-missing";
  if (Date.parse(certificate.validTo) <= now) return "certificate-expired";
  if (Date.parse(certificate.validFrom) > now) return "certificate-not-yet-valid";
  return problems && problems.length > 0 ? "certificate-unfit" : undefined;
}
