/** How many shares there are, and how many of them open Vault. */

/** As in "5 shares, of which 3 open Vault"; with a seal "5 recovery shares, of which 3 are wanted". */
export function inWords(
  { shares, threshold }: { shares: number; threshold: number },
  seal?: string | undefined,
): string {
  const noun = shares === 1 ? "share" : "shares";
  if (seal !== undefined)
    return `${shares} recovery ${noun}, of which ${threshold} ${threshold === 1 ? "is" : "are"} wanted`;
  return `${shares} ${noun}, of which ${threshold} ${threshold === 1 ? "opens" : "open"} Vault`;
}

/** What Vault would refuse; undefined where nothing is wrong (`SealConfig.Validate`). */
export function numbersProblem({
  shares,
  threshold,
}: {
  shares: number;
  threshold: number;
}): string | undefined {
  if (threshold > shares)
    return `${threshold} of ${shares} shares cannot be: --threshold is at most --shares. Nothing was changed.`;
  if (threshold === 1 && shares > 1)
    return `Vault wants a threshold of at least 2 where there is more than one share: say --threshold. Nothing was changed.`;
  return undefined;
}
