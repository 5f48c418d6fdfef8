/** Times, and what is said about them. */

/** Runs it and gives how long it took, in seconds. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const high = sorted[half] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[half - 1] as number) + high) / 2;
}

/** One row of the report. A bar is what the figure may be at most. */
export interface Figure {
  what: string;
  /** As measured, round by round. */
  values: number[];
  unit: "s" | "ratio" | "MiB";
  bar?: number;
}

/** The figures as a Markdown table: median, spread, and whether the bar is kept. */
export function table(figures: Figure[]): string {
  const shown = (value: number, unit: Figure["unit"]) =>
    unit === "ratio"
      ? value.toFixed(2)
      : unit === "MiB"
        ? `${value.toFixed(0)} MiB`
        : `${value.toFixed(1)} s`;
  const rows = figures.map(({ what, values, unit, bar }) => {
    const middle = median(values);
    const spread =
      values.length > 1 ? `${shown(Math.min(...values), unit)} to ${shown(Math.max(...values), unit)}` : "";
    const verdict =
      bar === undefined ? "" : `at most ${shown(bar, unit)}: ${middle <= bar ? "kept" : "missed"}`;
    return `| ${what} | ${shown(middle, unit)} | ${spread} | ${verdict} |`;
  });
  return ["| what | median | from to | bar |", "|---|---|---|---|", ...rows].join("\n");
}
