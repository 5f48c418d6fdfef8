import type { ChartSource } from "../sources.ts";

/** The arguments of a helm Release that say where its chart comes from: a folder, or a repository. */
export function chartArgs(source: ChartSource) {
  return {
    chart: source.chart,
    ...(source.version && { version: source.version }),
    ...(source.repo && { repositoryOpts: { repo: source.repo } }),
  };
}
