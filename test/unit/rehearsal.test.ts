import assert from "node:assert/strict";
import { judgeRead, longestGap, outcomeOf, type Write } from "../../operate/rehearsal/ledger.ts";
import { multiplierOf } from "../../operate/rehearsal/multiplier.ts";
import { picture } from "../../operate/rehearsal/picture.ts";
import { asObject, asText, isGood, type Rehearsed } from "../../operate/rehearsal/report.ts";
import type { Round } from "../../operate/rehearsal/round.ts";
import { settled, settleSeconds } from "../../operate/rehearsal/settled.ts";
import { stateOf } from "../../operate/rehearsal/watch.ts";
import type { Vault } from "../../steps/lib/vault.ts";

const nodes = ["vault-0", "vault-1", "vault-2"];

/** Writes of 10 ms each, sent at these times. */
const writes = (outcome: Write["outcome"], ...times: number[]): Write[] =>
  times.map((sentAt) => ({
    key: `k${sentAt}`,
    value: `v${sentAt}`,
    node: "vault-1",
    sentAt,
    endedAt: sentAt + 10,
    outcome,
  }));
const inOrder = (all: Write[]) => all.toSorted((a, b) => a.sentAt - b.sentAt);

/** A round in which vault-0 led and was ended at 2000 ms; vault-1 took over. */
const round = (more: Partial<Round> = {}): Round => {
  const all = inOrder([
    ...writes("acknowledged", 0, 1000, 1990, 9000, 9050),
    ...writes("refused", 2050, 8900),
    ...writes("unanswered", 2100),
  ]);
  return {
    number: 1,
    began: "2026-11-25T07:00:00.000Z",
    leaderBefore: "vault-0",
    leaderAfter: "vault-1",
    killedAt: 2000,
    killReturnedAt: 2100,
    writes: all,
    spans: {
      "vault-0": [
        { state: "leads", from: 0, to: 2000 },
        { state: "silent", from: 2000, to: 3000 },
        { state: "sealed", from: 3000, to: 9100 },
      ],
      "vault-1": [
        { state: "follows", from: 0, to: 7000 },
        { state: "leaderless", from: 7000, to: 9000 },
        { state: "leads", from: 9000, to: 9100 },
      ],
      "vault-2": [{ state: "follows", from: 0, to: 9100 }],
    },
    gap: longestGap(all, 2000),
    lost: [],
    wholeAgainMs: 12_345,
    problems: [],
    ...more,
  };
};
const rehearsed = (...rounds: Round[]): Rehearsed => ({
  stack: "dev",
  nodes,
  kill: "SIGKILL to the vault process",
  performanceMultiplier: 5,
  rounds,
  picture: "dev.svg",
});

describe("the ledger of a rehearsal", () => {
  for (const [status, outcome] of [
    [200, "acknowledged"],
    [204, "acknowledged"],
    [307, "refused"],
    [400, "refused"],
    [429, "refused"],
    [500, "refused"],
    [503, "refused"],
  ] as const)
    it(`calls a write that was answered with ${status} ${outcome}`, () => {
      assert.equal(outcomeOf({ status }), outcome);
    });

  it("does not take a write for acknowledged that had no answer", () => {
    assert.equal(outcomeOf(undefined), "unanswered");
  });

  const write = { key: "k", value: "v" };
  const answered = (status: number, data?: object) => ({ status, body: JSON.stringify({ data }) });

  it("calls an acknowledged write kept where its value is read back", () => {
    assert.equal(judgeRead(write, "vault-1", answered(200, { value: "v" })), "kept");
  });

  it("calls it lost where it is missing, and names the node", () => {
    const lost = { key: "k", node: "vault-1", found: "nothing" };
    assert.deepEqual(judgeRead(write, "vault-1", answered(404)), lost);
  });

  for (const [what, data] of [
    ["another value", { value: "w" }],
    ["a value under another name", { other: "v" }],
    ["no data", undefined],
  ] as const)
    it(`calls it lost where ${what} is read back`, () => {
      const lost = { key: "k", node: "vault-2", found: "another value" };
      assert.deepEqual(judgeRead(write, "vault-2", answered(200, data)), lost);
    });

  it("calls it lost where the answer is no JSON", () => {
    assert.notEqual(judgeRead(write, "vault-2", { status: 200, body: "<html>" }), "kept");
  });

  for (const status of [307, 429, 500, 503])
    it(`calls it neither kept nor lost where reading is answered with ${status}`, () => {
      assert.equal(judgeRead(write, "vault-2", answered(status, { value: "v" })), "unsaid");
    });
});

describe("the write gap", () => {
  it("goes from the last acknowledged write before to the first after, and tells what the writer waited", () => {
    assert.deepEqual(round().gap, { from: 2000, to: 9010, ms: 7010, resolutionMs: 110 });
  });

  it("is not ended by a write that was refused or unanswered", () => {
    const all = inOrder([
      ...writes("acknowledged", 0, 900),
      ...writes("refused", 500),
      ...writes("unanswered", 600),
    ]);
    assert.equal(longestGap(all, 100)?.ms, 900);
  });

  it("is the longest that ends after the kill, not the first and not one from before", () => {
    const all = writes("acknowledged", 0, 5000, 5100, 5500, 5600);
    assert.deepEqual(longestGap(all, 5050), { from: 5110, to: 5510, ms: 400, resolutionMs: 400 });
  });

  it("is not known where no write was acknowledged again", () => {
    const all = inOrder([...writes("acknowledged", 0, 100), ...writes("refused", 200, 300)]);
    assert.equal(longestGap(all, 150), undefined);
  });
});

describe("a node's own words", () => {
  for (const [status, state] of [
    [200, "leads"],
    [429, "follows"],
    [473, "follows"],
    [474, "leaderless"],
    [503, "sealed"],
    [500, "silent"],
    [undefined, "silent"],
  ] as const)
    it(`about its health, ${status ?? "none"}, mean that it is ${state}`, () => {
      assert.equal(stateOf(status), state);
    });
});

describe("a cluster is ready to lose its leader", () => {
  /** Its nodes are well for so many seconds; undefined: not well. */
  const leader = (...stable: (number | undefined)[]) => {
    const since = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();
    const servers = stable.map((seconds, at) => [
      `vault-${at}`,
      seconds === undefined ? {} : { stable_since: since(seconds) },
    ]);
    return { autopilotState: async () => ({ servers: Object.fromEntries(servers) }) } as unknown as Vault;
  };

  it("when every node has been well for longer than Vault's startup timers last", async () => {
    assert.equal(settleSeconds(5), 30);
    await settled(leader(31, 300), 30, 0);
  });

  for (const [what, stable, unsealed] of [
    ["one is well for a moment only", [20, 300], 300],
    ["one is not well", [undefined, 300], 300],
    ["one was unsealed a moment ago, which autopilot overlooked", [300, 300], 5],
  ] as const)
    it(`but not when ${what}`, async () => {
      await assert.rejects(
        settled(leader(...stable), 30, Date.now() - unsealed * 1000),
        /all nodes are well for \d+ s of 30 s/,
      );
    });
});

describe("the report of a rehearsal", () => {
  const loss = { key: "k1000", node: "vault-1", found: "nothing" } as const;

  it("is good where nothing was lost, writes came back and the cluster is whole", () => {
    assert.ok(isGood(round()));
    assert.match(asText(rehearsed(round())), /Nothing was lost: each of 5 acknowledged writes/);
    assert.match(asText(rehearsed(round())), /vault-0 +vault-1 +7010 ms +110 ms +5 +0 +12 s/);
  });

  it("says which command takes the new containers into Pulumi's state", () => {
    assert.match(asText(rehearsed(round())), /npm run up -- --stack dev .*containers into the state/);
  });

  for (const [what, more, says] of [
    ["a write was lost", { lost: [loss] }, /k1000 was acknowledged, and vault-1 has nothing/],
    ["no write was acknowledged again", { gap: undefined }, /no write was acknowledged again/],
    ["the cluster is not whole", { problems: ["vault-0 is sealed"] }, /vault-0 is sealed/],
  ] as const)
    it(`is not good where ${what}`, () => {
      const bad = round({
        ...more,
        lost: "lost" in more ? [...more.lost] : [],
        problems: "problems" in more ? [...more.problems] : [],
      });
      assert.ok(!isGood(bad));
      const text = asText(rehearsed(bad));
      assert.match(text, /NOT WELL/);
      assert.match(text, says);
      assert.doesNotMatch(text, /Nothing was lost/);
      assert.equal(asObject(rehearsed(round(), bad)).good, false);
    });

  it("counts a write that is lost to three nodes once", () => {
    const lost = nodes.map((node) => ({ ...loss, node }));
    assert.equal(asObject(rehearsed(round({ lost }))).lost, 1);
  });

  it("gives the least, the middle and the greatest gap of several rounds", () => {
    const rounds = [5000, 9000, 6000].map((ms) => round({ gap: { from: 0, to: ms, ms, resolutionMs: 50 } }));
    assert.deepEqual(asObject(rehearsed(...rounds)).gapMs, { min: 5000, median: 6000, max: 9000 });
    assert.match(asText(rehearsed(...rounds)), /3 rounds: gap 5000 \/ 6000 \/ 9000 ms .*0 lost/);
  });

  it("tells programs no value of a key", () => {
    assert.doesNotMatch(JSON.stringify(asObject(rehearsed(round()))), /v1990/);
  });

  it("knows the multiplier from the values of the stack's release", () => {
    const config = (text: string) => ({ values: { server: { ha: { raft: { config: text } } } } });
    const release = (text: string) => [{ urn: "a::vault-release", type: "", inputs: config(text) }];
    assert.equal(multiplierOf(release('storage "raft" { performance_multiplier = 2 }')), 2);
    assert.equal(multiplierOf(release('storage "raft" { path = "/vault/data" }')), 5);
    assert.equal(multiplierOf([]), undefined);
  });
});

describe("the picture of a rehearsal", () => {
  const svg = picture(rehearsed(round()));

  it("is an SVG alone: no script, nothing from elsewhere, every element closed", () => {
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
    assert.doesNotMatch(svg, /<script|<image|href=|@import|url\((?!#)/);
    const open: string[] = [];
    for (const [, close, name = "", self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (close) assert.equal(open.pop(), name);
      else if (!self) open.push(name);
    }
    assert.deepEqual(open, []);
  });

  it("has a stroke for each write, acknowledged ones apart from the others", () => {
    const strokes = [...svg.matchAll(/<path d="((?:M[\d. ]+v20)+)" stroke="(#\w+)" stroke-width="1"/g)];
    assert.deepEqual(
      strokes.map(([, path = "", colour]) => [colour, path.split("M").length - 1]),
      [
        ["#2e7d32", 5],
        ["#c62828", 3],
      ],
    );
  });

  it("has each node's states as bars from their begin to their end", () => {
    const bars = [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="24" fill="([^"]+)"/g)];
    const at = (ms: number) => 150 + (ms / 9100) * 1020;
    const wanted: [number, number, string][] = [
      [0, 2000, "#1f5fa8"],
      [2000, 3000, "#ffffff"],
      [3000, 9100, "url(#sealed)"],
      [0, 7000, "#c9dcf0"],
      [7000, 9000, "#ededed"],
      [9000, 9100, "#1f5fa8"],
      [0, 9100, "#c9dcf0"],
    ];
    assert.equal(bars.length, wanted.length);
    for (const [index, [, x, width, fill]] of bars.entries()) {
      const [from, to, colour] = wanted[index] as (typeof wanted)[number];
      assert.ok(Math.abs(Number(x) - at(from)) < 0.02, `bar ${index} begins at ${x}`);
      assert.ok(Math.abs(Number(width) - (at(to) - at(from))) < 0.02, `bar ${index} is ${width} wide`);
      assert.equal(fill, colour);
    }
  });

  it("marks the gap with its length and the kill, and counts seconds from the kill", () => {
    assert.match(svg, />gap 7\.01 s</);
    assert.match(svg, />kill</);
    for (const second of ["-2", "-1", "0 s", "1", "7"]) assert.ok(svg.includes(`>${second}</text>`), second);
  });

  it("has a timeline for each round", () => {
    const two = picture(rehearsed(round(), round({ number: 2, gap: undefined })));
    assert.match(
      two,
      />Round 1: vault-0 led, then vault-1 · write gap 7\.01 s · 0 of 5 acknowledged writes lost/,
    );
    assert.match(two, />Round 2: vault-0 led, then vault-1 · writes did not come back/);
  });

  it("shows names as they are, whatever is in them", () => {
    assert.match(picture({ ...rehearsed(round()), stack: "a<b&c" }), /stack a&lt;b&amp;c/);
  });
});
