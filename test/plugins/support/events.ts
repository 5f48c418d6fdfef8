import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import type { Run } from "./world.ts";

/** What the engine means to do, or did, with the resource of this name. */
export function step(run: Run, name: string): StepEventMetadata {
  const steps = run.events.flatMap((event) => event.resourcePreEvent?.metadata ?? []);
  const found = steps.filter(({ urn }) => urn.endsWith(`::${name}`));
  // A replacement is three steps: the one that speaks for it is "replace".
  const one = found.find(({ op }) => op === "replace") ?? found[0];
  if (!one)
    throw new Error(`no step for ${name} among ${steps.map(({ urn, op }) => `${op} ${urn}`).join(", ")}`);
  return one;
}

/** Property path to kind of change ("update", "add-replace"), as the preview shows it. */
export function pathsOf(metadata: StepEventMetadata): Record<string, string> {
  const details = Object.entries(metadata.detailedDiff ?? {});
  return Object.fromEntries(details.map(([path, { diffKind }]) => [path, diffKind]));
}

/** What the engine shows as the resource's outputs, after an update or as a preview has them. */
export function outputsOf(run: Run, name: string): Record<string, unknown> {
  const results = run.events.flatMap((event) => event.resOutputsEvent?.metadata ?? []);
  return results.find(({ urn }) => urn.endsWith(`::${name}`))?.new?.outputs ?? {};
}

/**
 * All that a run tells: what was printed and what was reported, but for debug messages, into which the Node SDK
 * itself writes every answer of the engine, secrets and all.
 */
export function toldBy(run: Run): string {
  const told = run.events.filter(({ diagnosticEvent }) => !diagnosticEvent?.prefix?.startsWith("debug"));
  return run.text + JSON.stringify(told);
}

/** The errors of the resource of this name, as they are printed. */
export function errorsOf(run: Run, name: string): string {
  return run.events
    .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
    .filter(({ urn, prefix }) => prefix?.startsWith("error") && urn?.endsWith(`::${name}`))
    .map(({ message }) => withoutColours(message))
    .join("\n");
}

/** The lines that the resource of this name showed, each while it was its newest, in order. */
export function linesOf(run: Run, name: string): string[] {
  return run.events
    .flatMap((event: EngineEvent) => event.diagnosticEvent ?? [])
    .filter(
      ({ urn, severity, ephemeral }) =>
        severity.startsWith("info") && ephemeral && urn?.endsWith(`::${name}`),
    )
    .map(({ message }) => withoutColours(message).trimEnd());
}

function withoutColours(message: string): string {
  return message.replaceAll(/<\{%[^%]*%\}>/g, "");
}
