import assert from "node:assert/strict";
import { join } from "node:path";
import { execa } from "execa";
import type { Told } from "../../operate/tour/take-step.ts";
import { headText, stepText } from "../../operate/tour/text.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { type Held, type Taken, TouredVault } from "../support/toured.ts";

describe("a tour that does not come to its end", function () {
  this.timeout(60_000);
  let vault: TouredVault;
  let atFirst: Held;
  let steps: Told[];

  before(async () => {
    vault = await TouredVault.start("http");
    atFirst = await vault.held();
    steps = (await vault.take()).told;
  });
  after(async function () {
    await vault?.end(this);
  });

  const root = (method: string, path: string, body?: object) =>
    vault.node.send(method, path, body, vault.stack.token);
  /** Everything that a tour has printed. */
  const printed = ({ told, said, error }: Taken) => {
    const texts = told.map((step, at) => stepText(step, at + 1, steps.length));
    return [
      headText("dev", vault.toured.place),
      ...texts,
      JSON.stringify(told),
      ...said,
      error?.message,
    ].join();
  };
  const through = (proxy: RecordingProxy) => ({ place: { address: proxy.address, ip: "127.0.0.1" } });

  it("leaves nothing behind, wherever it is interrupted", async () => {
    const reason = new Error("Stopped.");
    for (const { name } of steps.slice(0, -1)) {
      const { told, error } = await vault.take({}, (step, stop) => {
        if (step.name === name) stop.abort(reason);
      });
      assert.equal(error, reason);
      assert.equal(told.at(-1)?.name, name);
      assert.deepEqual(await vault.held(), atFirst, `interrupted after: ${name}`);
    }
  });

  for (const name of ["enable kv", "write a policy", "make a token", "wrap", "enable transit", "disable kv"])
    it(`leaves nothing behind where Vault has done "${name}" and its answer is lost`, async () => {
      const before = steps[steps.findIndex((step) => step.name === name) - 1]?.name;
      let due = false;
      // With these it looks for what earlier tours have left.
      const looks = ["GET /v1/sys/mounts", "GET /v1/sys/policies/acl?list=true"];
      const proxy = await RecordingProxy.before(vault.node.address, (asked) => {
        if (!due || looks.includes(asked)) return true;
        due = false;
        return false;
      });
      const { error, told } = await vault.take(through(proxy), (step) => {
        if (step.name === before) due = true;
      });
      await proxy.end();
      assert.match(error?.message ?? "", /^Vault did not answer (GET|POST|DELETE) .*: socket hang up$/);
      assert.equal(error?.next, "npm run doctor");
      assert.equal(told.at(-1)?.name, before);
      assert.deepEqual(await vault.held(), atFirst);
    });

  it("leaves nothing behind where a step is refused, and says which one, in Vault's words", async () => {
    const policy = ({ answer }: Told) => /tour-reader-[0-9a-f]{8}/.exec(JSON.stringify(answer))?.[0];
    const { told, said, error } = await vault.take({}, async (step) => {
      if (step.name === "make a token") await root("DELETE", `sys/policies/acl/${policy(step)}`);
    });
    assert.equal(told.at(-1)?.name, "read with that token");
    assert.equal(told.at(-1)?.status, 403);
    assert.match(
      error?.message ?? "",
      /^read with that token: GET \/v1\/tour-kv-.* answered 403: .*permission denied/,
    );
    assert.equal(error?.next, "npm run doctor");
    assert.match(said.join(), /^Cleaned up: a token, the mount tour-kv-[0-9a-f]{8}\/\.$/);
    assert.deepEqual(await vault.held(), atFirst);
  });

  it("says what came where it is not what was written, and shows neither", async () => {
    let written = "";
    const proxy = await RecordingProxy.before(vault.node.address, undefined, {
      changed: (asked, body) => {
        if (asked.endsWith("version=1")) written = JSON.parse(body).data.data.password;
        return asked.endsWith("version=1") ? body.replace(written, "something-else") : body;
      },
    });
    const taken = await vault.take(through(proxy));
    await proxy.end();
    assert.match(
      taken.error?.message ?? "",
      /^read a version back: GET .*\?version=1 answered 200, but not what was expected: data\.data\.password: /,
    );
    assert.equal(taken.told.at(-1)?.answer, null);
    assert.ok(
      written.length > 10 && !printed(taken).includes(written) && !printed(taken).includes("something-else"),
    );
    assert.deepEqual(await vault.held(), atFirst);
  });

  it("is cleaned up after by the next one where it was killed; what only looks like a tour's stays", async () => {
    const others = [
      ["POST", "sys/mounts/tour-de-france", { type: "kv", description: "July" }],
      ["POST", "sys/policies/acl/tour-guide", { policy: 'path "x/*" { capabilities = ["read"] }' }],
      ["POST", "auth/token/create", { policies: ["tour-guide"] }],
    ] as const;
    for (const [method, path, body] of others) await root(method, path, body);
    const withOthers = await vault.held();
    const input = JSON.stringify({ toured: vault.toured, killedAt: "wrap" });
    const killed = await execa(process.execPath, [join(import.meta.dirname, "../support/tour-process.ts")], {
      input,
      reject: false,
    });
    assert.equal(killed.signal, "SIGKILL", killed.stderr);
    const left = await vault.held();
    assert.equal(left.mounts.length, withOthers.mounts.length + 1);
    assert.equal(left.policies.length, withOthers.policies.length + 1);
    assert.equal(left.accessors.length, withOthers.accessors.length + 2);
    const { said, error } = await vault.take();
    assert.equal(error, undefined);
    assert.match(
      said.join(),
      /^An earlier tour had left 2 tokens, the policy tour-reader-[0-9a-f]{8}, the mount tour-kv-[0-9a-f]{8}\/: removed\.$/,
    );
    assert.deepEqual(await vault.held(), withOthers);
  });

  it("like any other, shows no token and nothing that it wrote", async () => {
    const secrets = new Set<string>([vault.stack.token]);
    const proxy = await RecordingProxy.before(vault.node.address, undefined, {
      changed: (_, body) => {
        const found = /"(?:password|client_token|token|plaintext|id)":"([^"]+)"/g;
        for (const [, secret = ""] of body.matchAll(found)) secrets.add(secret);
        return body;
      },
    });
    const taken = await vault.take(through(proxy));
    await proxy.end();
    assert.equal(taken.error, undefined);
    // The root token, that of the reader, that of the wrapping, two passwords, one text.
    assert.equal(secrets.size, 6);
    for (const secret of secrets) assert.ok(!printed(taken).includes(secret));
  });
});
