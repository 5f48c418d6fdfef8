import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StepError } from "../../steps/lib/errors.ts";
import { takeStackLock } from "../../steps/lib/stack-lock.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("the lock of a stack", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let proxy: RecordingProxy;
  /** What is held back until it is resolved. */
  let release: PromiseWithResolvers<void>;

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.init();
    proxy = await RecordingProxy.before(stack.nodes.at(0).address, async (asked) => {
      if (asked === "PUT /v1/sys/unseal") await release.promise;
      return true;
    });
  });
  beforeEach(() => {
    release = Promise.withResolvers();
    stack.instead["vault-0"] = proxy.address;
  });
  after(async function () {
    await proxy?.end();
    await stack?.end(this);
  });

  /** Begins a step that holds the lock until `release`; gives its end, and how to kill it. */
  const holdLock = async () => {
    const began = Promise.withResolvers<{ pid: number; kill(signal: NodeJS.Signals): void }>();
    const asked = proxy.count("PUT /v1/sys/unseal");
    const ended = stack.run(
      "unseal",
      { pod: "vault-0", shares: stack.keys.shares, threshold: 3 },
      { started: (child) => began.resolve(child) },
    );
    while (proxy.count("PUT /v1/sys/unseal") === asked) await sleep(20);
    return { ended, child: await began.promise };
  };

  it("is held by one step; the next one waits, says for whom, and acts when that one has ended", async () => {
    const { ended, child } = await holdLock();
    let second = "";
    const waiting = stack.run(
      "unseal",
      { pod: "vault-0", shares: stack.keys.shares, threshold: 3 },
      {
        started: async (it) => {
          while (!it.stderr().includes("waiting for it to end")) await sleep(20);
          second = it.stderr();
          // Nobody but the first step has sent a share.
          assert.equal(proxy.count("PUT /v1/sys/unseal"), 1);
          release.resolve();
        },
      },
    );
    assert.equal((await ended).code, 0);
    const ran = await waiting;
    assert.match(second, new RegExp(`step unseal vault-0 still runs \\(process ${child.pid}, since \\d{4}-`));
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stderr, /already unsealed/);
    assert.equal(proxy.count("PUT /v1/sys/unseal"), 3);
  });

  it("is free at once when its step is killed", async () => {
    await stack.nodes.at(0).restart();
    const { ended, child } = await holdLock();
    child.kill("SIGKILL");
    assert.equal((await ended).code, null);
    release.resolve();
    const ran = await stack.unseal("vault-0");
    assert.equal(ran.code, 0, ran.stderr);
    assert.doesNotMatch(ran.stderr, /still runs/);
  });

  it("ends the wait of the next step at its limit, with the holder named", async () => {
    await stack.nodes.at(0).restart();
    const { ended, child } = await holdLock();
    const step = { say: () => {}, signal: new AbortController().signal, timeoutSeconds: 0.3 };
    await assert.rejects(
      takeStackLock(stack.stackDir, "verify", { ...step, deadline: Date.now() + 300 }),
      (error: StepError) => {
        assert.match(error.message, new RegExp(`for the stack to be free, .*process ${child.pid}`));
        assert.match(error.next ?? "", /step\.lock\.json/);
        return true;
      },
    );
    release.resolve();
    assert.equal((await ended).code, 0);
  });

  it("is two files, and holds no secret", async () => {
    const files = (await readdir(stack.stackDir)).filter((name) => name.startsWith("step."));
    assert.deepEqual(files.sort(), ["step.lock", "step.lock.json"]);
    const holder = await readFile(join(stack.stackDir, "step.lock.json"), "utf8");
    assert.deepEqual(Object.keys(JSON.parse(holder)), ["step", "pid", "since"]);
    assert.equal((await readFile(join(stack.stackDir, "step.lock"))).length, 0);
  });
});
