/** What Vault's configuration says so that each node tells its own metrics, and how it is written into it. */
import { attribute, type Block, type Body, parseHcl, type Value } from "./hcl.ts";

/**
 * The stanza `telemetry`. Without disable_hostname each gauge's name begins with the pod's. 24 h is Vault's own, and
 * longer than the ten minutes after which it counts tokens and secrets again.
 * https://developer.hashicorp.com/vault/docs/configuration/telemetry
 */
export const telemetryStanza: Readonly<Record<string, string | boolean>> = {
  prometheus_retention_time: "24h",
  disable_hostname: true,
};

/**
 * The block `telemetry` of a listener. With a token a standby sends the scraper on to the leader, whose numbers then
 * stand under the standby's name, and a sealed node tells nothing at all (seen with 1.21.1).
 */
export const listenerTelemetry: Readonly<Record<string, string | boolean>> = {
  unauthenticated_metrics_access: true,
};

/** Of the pods of a stack whose nodes tell their metrics. */
export const telemetryAnnotation = "vault-ha/telemetry";

/** Writes both into a configuration; what it says itself stays. */
export function addTelemetry(text: string): string {
  const { blocks } = parseHcl(text);
  const places = blocks
    .filter(({ type, labels }) => type === "listener" && labels[0] === "tcp")
    .map((listener) => {
      const own = listener.body.blocks.find(({ type }) => type === "telemetry");
      return own
        ? { at: own.inner, lines: lacking(own, listenerTelemetry) }
        : { at: listener.inner, lines: ["telemetry {", ...indented(listenerTelemetry), "}"] };
    });
  const own = blocks.find(({ type }) => type === "telemetry");
  if (own) places.push({ at: own.inner, lines: lacking(own, telemetryStanza) });
  // Last position first, so that the places of the others still hold.
  const written = places
    .filter(({ lines }) => lines.length > 0)
    .toSorted((one, other) => other.at - one.at)
    .reduce((whole, { at, lines }) => afterBrace(whole, at, lines), text);
  return own ? written : `${written.trimEnd()}\n\ntelemetry {\n${indented(telemetryStanza).join("\n")}\n}\n`;
}

/** What in a configuration does not go with what is written into it: where it stands, and what it says. */
export function telemetryOtherwise({ attributes, blocks }: Body): string[] {
  const listeners = blocks.filter(({ type, labels }) => type === "listener" && labels[0] === "tcp");
  return [
    ...attributes.flatMap(({ key }) => (key === "telemetry" ? ["telemetry is no block"] : [])),
    ...blocks
      .filter(({ type }) => type === "telemetry")
      .flatMap((block) => differing(block, telemetryStanza)),
    ...listeners.flatMap(({ body }) => [
      ...body.attributes.flatMap(({ key }) =>
        key === "telemetry" ? ["the listener's telemetry is no block"] : [],
      ),
      ...body.blocks
        .filter(({ type }) => type === "telemetry")
        .flatMap((block) => differing(block, listenerTelemetry)),
    ]),
  ];
}

function lacking(block: Block, wanted: typeof telemetryStanza): string[] {
  const missing = Object.entries(wanted).filter(([key]) => attribute(block.body, key) === undefined);
  return missing.map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
}

/** A retention of another length is the stack's own affair, as long as there is one: 0 turns the metrics off. */
function differing(block: Block, wanted: typeof telemetryStanza): string[] {
  return Object.entries(wanted).flatMap(([key, value]) => {
    const found = attribute(block.body, key)?.value;
    if (found === undefined || fits(found, value)) return [];
    return [`${key} is ${JSON.stringify(found)}`];
  });
}

function fits(found: Value, wanted: string | boolean): boolean {
  if (typeof wanted === "string") return !/^0+[a-z]*$/.test(String(found));
  return ["1", "t", "true"].includes(String(found).toLowerCase());
}

const indented = (wanted: typeof telemetryStanza) =>
  Object.entries(wanted).map(([key, value]) => `  ${key} = ${JSON.stringify(value)}`);

/** Puts lines behind a brace that opens a block; what follows it on its line goes on to a line of its own. */
export function afterBrace(text: string, inner: number, lines: readonly string[]): string {
  const rest = text.slice(inner);
  const gap = /^[^\S\n]*\n/.test(rest) ? "" : "\n ";
  return `${text.slice(0, inner)}${lines.map((line) => `\n  ${line}`).join("")}${gap}${rest}`;
}
