import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { kindConfig } from "../../components/kind-config.ts";
import { settingsOf } from "../../config.ts";
import { computed, readPreview } from "../../operate/preview/change.ts";
import { configDifferences } from "../../operate/preview/cluster-causes.ts";
import type { Judgement } from "../../operate/preview/judge.ts";
import { commentLimit, failureMarkdown, judgementMarkdown } from "../../operate/preview/markdown.ts";
import { judgementText } from "../../operate/preview/text.ts";

describe("a preview that was recorded", () => {
  const { config, changes } = readPreview(readFileSync("test/unit/previews/tls-off.json", "utf8"));
  const found = (name: string) => changes.find((each) => each.name === name);

  it("is read without what stays the same, and without components, which stand for nothing", () => {
    assert.deepEqual(changes.map(({ op, name }) => `${op} ${name}`).sort(), [
      "delete vault-tls-secret",
      "update lifecycle-identity",
      "update lifecycle-unseal-vault-0",
      "update vault-release",
    ]);
  });

  it("has the settings, the inputs before and after, and the paths that differ", () => {
    assert.equal(config["vault-ha:vault.tls.enabled"], "false");
    const { before, after, differing } = found("vault-release") ?? assert.fail();
    assert.deepEqual(
      [before.values, after.values],
      [{ global: { tlsDisable: false } }, { global: { tlsDisable: true } }],
    );
    assert.ok(differing.includes("values.global.tlsDisable"));
    assert.deepEqual(found("lifecycle-unseal-vault-0")?.after.environment, { CONTAINER: computed });
  });

  it("counts a replacement once, whatever steps it takes, with what was and what comes", () => {
    const [oldState, newState] = ["old", "new"].map((is) => ({
      type: "a:b:C",
      custom: true,
      inputs: { is },
    }));
    const urn = "urn::x";
    const steps = [
      { op: "create-replacement", urn, oldState, newState },
      { op: "replace", urn, oldState, newState },
      { op: "delete-replaced", urn, oldState },
    ];
    const [found, ...others] = readPreview(JSON.stringify({ steps })).changes;
    assert.deepEqual(
      [found?.op, found?.before, found?.after, others],
      ["replace", { is: "old" }, { is: "new" }, []],
    );
  });
});

describe("why a kind cluster is another one", () => {
  const config = (settings: Record<string, string>, image?: string) =>
    kindConfig(
      settingsOf(
        "dev",
        Object.fromEntries(Object.entries(settings).map(([key, value]) => [`vault-ha:${key}`, value])),
      ),
      image,
    );

  it("is told by the settings", () => {
    const to = {
      "cluster.ports.vault": "30002",
      "cluster.listenAddress": "127.0.0.2",
      "vault.replicas": "5",
    };
    assert.deepEqual(configDifferences(config({}, "a"), config(to, "b")), [
      "cluster.ports.vault: 30000 -> 30002",
      "cluster.listenAddress: 127.0.0.1 -> 127.0.0.2",
      "cluster.workers, which follows vault.replicas unless set: 3 -> 5",
      "kind's node image: a -> b",
    ]);
  });

  it("is named in general where no setting tells", () => {
    assert.deepEqual(configDifferences(config({}), config({})), []);
    assert.deepEqual(configDifferences(config({}), `${config({})}x: 1\n`), [
      "the configuration of the kind cluster",
    ]);
  });
});

const judgement: Judgement = {
  stack: "prod",
  verdict: "destructive",
  goesOn: false,
  consequences: [
    {
      verdict: "destructive",
      says: "All of it is lost.",
      because: ["vault.host: a`b -> <img src=x> @everyone | *"],
      refused: { why: "Put it back.", next: ["npm run up -- --stack prod"] },
    },
    { verdict: "safe", says: "2 steps_run <again>.", because: [] },
  ],
  unknown: ["Which node leads."],
  changes: [{ op: "update", name: "vault-release", type: "t" }],
};

describe("the end of a preview", () => {
  it("is a block of text with verdict, consequences, causes, and the commands that lead on", () => {
    assert.equal(
      judgementText(judgement),
      [
        "Preview of stack prod: destructive.",
        "  destructive: All of it is lost.",
        "    because: vault.host: a`b -> <img src=x> @everyone | *",
        "  safe: 2 steps_run <again>.",
        "  not known: Which node leads.",
        "npm run up refuses this, and changes nothing.",
        "Put it back.",
        "  npm run up -- --stack prod",
        "",
      ].join("\n"),
    );
  });

  it("says so where nothing changes", () => {
    const nothing = {
      ...judgement,
      verdict: "safe" as const,
      goesOn: true,
      consequences: [],
      unknown: [],
      changes: [],
    };
    assert.equal(judgementText(nothing), "Preview of stack prod: safe; nothing changes.\n");
  });

  it("is Markdown in which nothing of a setting or of Pulumi is Markdown, HTML or a mention", () => {
    const text = judgementMarkdown(judgement, "~ a\n```\n</details> @all\n");
    assert.equal(
      text,
      [
        "<!-- vault-ha preview of prod -->",
        "### Preview of stack prod: destructive.",
        "",
        "- **destructive**: All of it is lost.",
        "  - because: ``vault.host: a`b -> <img src=x> @everyone | *``",
        "- **safe**: 2 steps\\_run &lt;again>.",
        "",
        "Not known:",
        "- Which node leads.",
        "",
        "**`npm run up` refuses this, and changes nothing.**",
        "",
        "Put it back.",
        "",
        "```",
        "npm run up -- --stack prod",
        "```",
        "",
        "<details><summary>Pulumi's own diff</summary>",
        "",
        "````",
        "~ a",
        "```",
        "</details> @all",
        "````",
        "",
        "</details>",
        "",
      ].join("\n"),
    );
  });

  it("fits into a comment of GitHub's, however long Pulumi's diff is, and says what is left out", () => {
    for (const long of [
      "~ a line of a diff\n".repeat(20_000),
      "`".repeat(200_000),
      `${"x".repeat(100_000)}\ny`,
    ]) {
      const text = judgementMarkdown(judgement, long);
      assert.ok(text.length <= commentLimit, `${text.length} characters`);
      assert.match(text, /\.\.\. \d+ of \d+ lines are left out here/);
      assert.match(text, /<\/details>\n$/);
      assert.ok(failureMarkdown("prod", long).length <= commentLimit);
    }
    assert.match(judgementMarkdown(judgement, "~ a line\n".repeat(20_000)), /(~ a line\n){1000}/);
  });

  it("fits also where it is only a little too long", () => {
    const head = judgementMarkdown(judgement, "").length;
    for (let over = -300; over < 300; over += 7) {
      const text = `${"a\n".repeat((commentLimit - head) / 2)}${"b".repeat(300 + over)}`;
      assert.ok(judgementMarkdown(judgement, text.slice(300)).length <= commentLimit, `over: ${over}`);
    }
  });

  it("of one that could not be made keeps Pulumi's last words", () => {
    const text = failureMarkdown("prod", `${"noise\n".repeat(20_000)}error: 1 setting is wrong\n`);
    assert.match(text, /^<!-- vault-ha preview of prod -->\n### Preview of stack prod: could not be made\./);
    assert.match(text, /error: 1 setting is wrong\n```\n$/);
  });
});
