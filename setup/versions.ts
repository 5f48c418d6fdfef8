/** What is downloaded where PATH has nothing that fits. Pulumi comes in its SDK's version. */
export const versions = {
  kind: "0.33.0",
  kubernetes: "1.36.3",
} as const;

/** A range of versions that do: from `from` (included) up to `below` (excluded). */
export interface Range {
  from: string;
  below: string;
}

/** What is taken from PATH. */
export const fitting: Record<"pulumi" | "kind" | "kubectl", Range> = {
  // The oldest that this program was run on.
  pulumi: { from: "3.198.0", below: "4.0.0" },
  // Its own node image is of Kubernetes 1.36.
  kind: { from: "0.33.0", below: "1.0.0" },
  // One minor version either side of the cluster's: https://kubernetes.io/releases/version-skew-policy/
  kubectl: { from: "1.35.0", below: "1.38.0" },
};

/** Whether a version lies in a range. "v1.36.3-dispatcher" counts as 1.36.3. */
export function fits(version: string, range: Range): boolean {
  return compare(version, range.from) >= 0 && compare(version, range.below) < 0;
}

function compare(a: string, b: string): number {
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return (version.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}
