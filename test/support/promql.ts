import { parser } from "@prometheus-io/lezer-promql";

/** A PromQL expression as a dashboard has it, read by Prometheus' own grammar. */
export interface Promql {
  /** The metrics that it reads, each once. */
  metrics: string[];
  /** Whether it is one, from its begin to its end. */
  valid: boolean;
}

/** Grafana puts durations and names there. */
const variables = (text: string) => text.replaceAll("$__rate_interval", "2m").replaceAll(/\$\w+/g, "any");

export function readPromql(expression: string): Promql {
  const text = variables(expression);
  const metrics = new Set<string>();
  let valid = true;
  parser.parse(text).iterate({
    enter: ({ type, node, from, to }) => {
      if (type.isError) valid = false;
      if (type.name === "Identifier" && node.parent?.name === "VectorSelector")
        metrics.add(text.slice(from, to));
    },
  });
  return { metrics: [...metrics], valid };
}
