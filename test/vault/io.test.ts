import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ran, runStep } from "../support/step-process.ts";
import { assertRefused } from "../support/vault-stack.ts";

describe("a step as a process", function () {
  this.timeout(30_000);
  let folder: string;
  const unreachable = {
    stack: "dev",
    scheme: "http",
    // Port 1 of loopback: nothing listens there.
    reach: { kind: "direct", addresses: { "vault-0": "http://127.0.0.1:1" } },
    pod: "vault-0",
    shares: ["a-share-of-the-key"],
    threshold: 1,
    timeoutSeconds: 20,
  };

  // It takes 12 s, so it runs beside the other tests.
  let waiting: Promise<Ran>;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "vault-ha-test-"));
    waiting = runStep("unseal", { ...unreachable, stackDir: join(folder, "waiting"), timeoutSeconds: 12 });
  });
  after(() => rm(folder, { recursive: true }));
  const input = () => ({ ...unreachable, stackDir: join(folder, "stack") });

  it("tells all problems of its input at once, and no value of it", async () => {
    const { stack: _, ...rest } = input();
    const ran = await runStep("unseal", { ...rest, scheme: "gopher-of-mine", threshold: "three", shares: 7 });
    assertRefused(ran, "4 problem(s)", "- stack: ", "- scheme: ", "- threshold: ", "- shares: ");
    assert.doesNotMatch(ran.stderr, /gopher-of-mine|"three"|"7"/);
  });

  it("does not quote what is not JSON", async () => {
    const ran = await runStep("unseal", "a-share-of-the-key");
    assertRefused(ran, "18 characters that are not JSON");
    assert.doesNotMatch(ran.stderr, /a-share/);
  });

  it("begins every line of its words with its name and its pod", async () => {
    const ran = await runStep("unseal", { ...input(), timeoutSeconds: 0.5 });
    for (const line of ran.stderr.trimEnd().split("\n")) assert.match(line, /^unseal vault-0: /);
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    it(`ends with a message on ${signal}, and with the code that stands for it`, async () => {
      const ran: Ran = await runStep("unseal", input(), {
        // It has read its input and waits when it has a connection refused; the words come only after 10 s.
        started: async (child) => {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          child.kill(signal);
        },
      });
      assert.equal(ran.code, code, ran.stderr);
      assert.equal(ran.stdout, "");
      assert.match(ran.stderr, new RegExp(`ended by ${signal}; nothing is lost\n.*Next: pulumi up`));
      assert.ok(ran.seconds < 5);
    });
  }

  it("says about every 10 s what it waits for, how long so far, and what it last saw", async () => {
    const ran = await waiting;
    const told = /waiting for vault-0 to answer: 1\d s so far of 12 s; last seen: .*ECONNREFUSED/;
    assert.equal(ran.stderr.split("\n").filter((line) => told.test(line)).length, 1, ran.stderr);
    assertRefused(ran, "waited 12 s for vault-0 to answer, and the limit of 12 s is reached");
  });
});
