/** One series of a metric. */
export interface Series {
  labels: Record<string, string>;
  value: number;
}

/** Every metric by its name; a summary's sum and count stand under names of their own. */
export type Metrics = Map<string, Series[]>;

/** Reads the text in which Prometheus is told metrics. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function readMetrics(text: string): Metrics {
  const metrics: Metrics = new Map();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", inner = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === "") throw new Error(`no line of a metric: ${line}`);
    const labels = Object.fromEntries(
      [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", of = ""]) => [key, of]),
    );
    metrics.set(name, [...(metrics.get(name) ?? []), { labels, value: Number(value) }]);
  }
  return metrics;
}
