/** A rehearsal as an SVG: for each round a timeline of writes, leadership and seals, in seconds from the kill. */
import type { Write } from "./ledger.ts";
import { headline, type Rehearsed } from "./report.ts";
import type { Round } from "./round.ts";
import type { NodeState } from "./watch.ts";

const width = 1200;
const left = 150;
const right = 30;
const lane = 24;
const step = 32;
const plot = width - left - right;

/** How each state is drawn: fill, border, and the colour of a word in it. */
const looks: Record<NodeState, { fill: string; stroke: string; ink: string; says: string }> = {
  leads: { fill: "#1f5fa8", stroke: "#1f5fa8", ink: "#ffffff", says: "leads" },
  follows: { fill: "#c9dcf0", stroke: "#9dbad8", ink: "#24405c", says: "follows" },
  leaderless: { fill: "#ededed", stroke: "#b8b8b8", ink: "#555555", says: "no leader" },
  sealed: { fill: "url(#sealed)", stroke: "#b7791f", ink: "#5c3a06", says: "sealed" },
  silent: { fill: "#ffffff", stroke: "#9a9a9a", ink: "#666666", says: "no answer" },
};
const good = "#2e7d32";
const bad = "#c62828";

/** The picture as the text of an SVG file, without script and without outside parts. */
export function picture({ stack, kill, nodes, performanceMultiplier, rounds }: Rehearsed): string {
  const panel = 100 + step * (nodes.length + 2);
  const top = 70;
  const height = top + panel * rounds.length + 40;
  const multiplier =
    performanceMultiplier === undefined ? "" : ` · performance_multiplier ${performanceMultiplier}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="#222222">
<title>${escaped(`Failover rehearsal of stack ${stack}`)}</title>
<defs>
<pattern id="sealed" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="#fdf0d5"/><rect width="2.5" height="7" fill="#e0a84c"/></pattern>
</defs>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="20" y="32" font-size="20" font-weight="600">${escaped(`Failover rehearsal of stack ${stack}`)}</text>
<text x="20" y="54" fill="#555555">${escaped(`The leader is ended: ${kill} · ${nodes.length} nodes${multiplier}`)}</text>
${rounds.map((round, at) => `<g transform="translate(0 ${top + panel * at})">\n${timeline(round, nodes)}\n</g>`).join("\n")}
${legend(height - 28)}
</svg>
`;
}

function timeline(round: Round, nodes: readonly string[]): string {
  const { writes, spans, killedAt, killReturnedAt, gap } = round;
  const all = Object.values(spans).flat();
  const from = Math.min(killedAt, ...writes.map(({ sentAt }) => sentAt));
  const to = Math.max(killReturnedAt, ...writes.map(({ endedAt }) => endedAt), ...all.map((span) => span.to));
  const x = (time: number) =>
    round2(left + ((Math.min(Math.max(time, from), to) - from) / (to - from)) * plot);
  const lanes = 58;
  const bottom = lanes + step * (nodes.length + 2) - (step - lane);
  const laneY = (at: number) => lanes + step * at;
  const label = (at: number, text: string) =>
    `<text x="${left - 12}" y="${laneY(at) + 17}" text-anchor="end">${escaped(text)}</text>`;
  const parts = [
    `<text x="20" y="20" font-size="15" font-weight="600">${escaped(headline(round))}</text>`,
    axis(from, to, killedAt, x, lanes - 6, bottom + 6),
    gap === undefined ? "" : gapBand(x(gap.from), x(gap.to), gap.ms, lanes, bottom),
    label(0, "acknowledged"),
    ticks(writes.filter(isAcknowledged), x, laneY(0), good),
    label(1, "not acknowledged"),
    ticks(
      writes.filter((write) => !isAcknowledged(write)),
      x,
      laneY(1),
      bad,
    ),
    ...nodes.flatMap((node, at) => [
      label(at + 2, node),
      ...(spans[node] ?? []).map((span) => bar(span.state, x(span.from), x(span.to), laneY(at + 2))),
    ]),
    killLine(x(killedAt), lanes - 6, bottom + 6),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** One stroke a write, all in one path: there are thousands in a long round. */
function ticks(writes: readonly Write[], x: (time: number) => number, y: number, colour: string): string {
  if (writes.length === 0) return "";
  const strokes = writes.map(({ endedAt }) => `M${x(endedAt)} ${y + 2}v${lane - 4}`).join("");
  return `<path d="${strokes}" stroke="${colour}" stroke-width="1" fill="none"/>`;
}

function bar(state: NodeState, from: number, to: number, y: number): string {
  const { fill, stroke, ink, says } = looks[state];
  const wide = round2(Math.max(to - from, 1));
  const dash = state === "silent" ? ' stroke-dasharray="3 3"' : "";
  const word =
    wide > says.length * 8 + 8
      ? `<text x="${from + 6}" y="${y + 16}" font-size="12" fill="${ink}"${state === "sealed" ? ' stroke="#fdf0d5" stroke-width="4" paint-order="stroke"' : ""}>${says}</text>`
      : "";
  return `<rect x="${from}" y="${y}" width="${wide}" height="${lane}" fill="${fill}" stroke="${stroke}"${dash}/>${word}`;
}

/** The time without an acknowledged write: a band over all lanes, with its length above. */
function gapBand(from: number, to: number, ms: number, top: number, bottom: number): string {
  const middle = Math.min(Math.max((from + to) / 2, left + 60), width - right - 60);
  return [
    `<rect x="${from}" y="${top - 6}" width="${round2(Math.max(to - from, 1))}" height="${bottom - top + 12}" fill="#fde0e0"/>`,
    `<path d="M${from} ${top - 16}v8M${to} ${top - 16}v8M${from} ${top - 12}H${to}" stroke="${bad}" stroke-width="1.5" fill="none"/>`,
    `<text x="${round2(middle)}" y="${top - 20}" text-anchor="middle" fill="${bad}" font-weight="600">gap ${seconds(ms, 2)} s</text>`,
  ].join("\n");
}

function killLine(at: number, top: number, bottom: number): string {
  return `<path d="M${at} ${top}V${bottom}" stroke="#000000" stroke-width="1.5" stroke-dasharray="5 3"/>
<text x="${at - 5}" y="${top - 3}" text-anchor="end" font-weight="600">kill</text>`;
}

function axis(
  from: number,
  to: number,
  zero: number,
  x: (time: number) => number,
  top: number,
  bottom: number,
): string {
  const total = (to - from) / 1000;
  const every = [1, 2, 5, 10, 20, 30, 60, 120].find((each) => total / each <= 20) ?? 300;
  const parts = [`<path d="M${left} ${bottom}H${width - right}" stroke="#888888"/>`];
  const first = Math.ceil((from - zero) / 1000 / every) * every;
  for (let at = first; zero + at * 1000 <= to; at += every) {
    const here = x(zero + at * 1000);
    parts.push(
      `<path d="M${here} ${top}V${bottom + 4}" stroke="#e4e4e4"/><text x="${here}" y="${bottom + 18}" text-anchor="middle" font-size="12" fill="#555555">${at === 0 ? "0 s" : at}</text>`,
    );
  }
  parts.push(
    `<text x="${left - 12}" y="${bottom + 18}" text-anchor="end" font-size="12" fill="#555555">seconds from the kill</text>`,
  );
  return parts.join("\n");
}

function legend(y: number): string {
  const entries: [string, string][] = [
    [`<path d="M2 1v14M6 1v14M10 1v14" stroke="${good}"/>`, "acknowledged write (2xx)"],
    [`<path d="M2 1v14M6 1v14M10 1v14" stroke="${bad}"/>`, "anything else"],
    ...Object.values(looks).map(({ fill, stroke, says }): [string, string] => [
      `<rect width="18" height="15" fill="${fill}" stroke="${stroke}"${says === "no answer" ? ' stroke-dasharray="3 3"' : ""}/>`,
      says,
    ]),
    ['<rect width="18" height="15" fill="#fde0e0"/>', "no write acknowledged"],
  ];
  let at = 20;
  const parts = entries.map(([sign, says]) => {
    const part = `<g transform="translate(${at} ${y})">${sign}<text x="25" y="13" font-size="12" fill="#444444">${says}</text></g>`;
    at += 50 + says.length * 7;
    return part;
  });
  return parts.join("\n");
}

const isAcknowledged = ({ outcome }: Write) => outcome === "acknowledged";
const seconds = (ms: number, digits: number) => (ms / 1000).toFixed(digits);
const round2 = (value: number) => Math.round(value * 100) / 100;
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
