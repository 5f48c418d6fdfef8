import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildParts, type Progress } from "../../offline/lib/build-parts.ts";
import type { Part } from "../../offline/lib/part.ts";
import { Store } from "../../offline/lib/store.ts";
import { slowPart } from "../support/build-process.ts";

describe("the store of parts", () => {
  let dir: string;
  let cache: string;
  let checkout: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "vault-ha-store-"));
    cache = join(dir, "cache");
    checkout = join(dir, "checkout");
    await mkdir(join(checkout, "input"), { recursive: true });
    await writeFile(join(checkout, "input/a"), "a");
    await writeFile(join(checkout, "one-file"), "one");
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGKILL");
        await once(child, "close");
      }
    }
    await rm(dir, { recursive: true });
  });

  const store = () => new Store({ cache, checkout });
  const part = (name: string, given: Partial<Part> = {}): Part => ({
    name,
    says: name,
    needs: [],
    inputs: ["input", "one-file"],
    recipe: "1",
    heavy: false,
    make: ({ out }) => writeFile(join(out, "content"), name),
    ...given,
  });

  describe("key", () => {
    const key = (given: Partial<Part> = {}) => store().key(part("p", given));

    it("is twelve hex digits and the same for the same content", async () => {
      const before = key();
      await utimes(join(checkout, "input/a"), 1, 1);
      assert.match(before, /^[0-9a-f]{12}$/);
      assert.equal(key({ says: "other words", heavy: true, make: async () => {} }), before);
      assert.equal(key({ inputs: ["one-file", "input"] }), before);
    });

    it("changes with the name, the recipe and the list of inputs", () => {
      const keys = [
        key(),
        store().key(part("q")),
        key({ recipe: "2" }),
        key({ inputs: ["input"] }),
        key({ inputs: [] }),
      ];
      assert.equal(new Set(keys).size, keys.length);
    });

    const changes: [string, () => Promise<void>][] = [
      ["a file's content", () => writeFile(join(checkout, "input/a"), "b")],
      ["a new file", () => writeFile(join(checkout, "input/b"), "")],
      ["a file's name", () => rename(join(checkout, "input/a"), join(checkout, "input/b"))],
      ["a file's being executable", () => chmod(join(checkout, "input/a"), 0o755)],
      ["an input that is one file", () => writeFile(join(checkout, "one-file"), "two")],
    ];
    for (const [what, change] of changes) {
      it(`changes with ${what}`, async () => {
        const before = key();
        await change();
        assert.notEqual(key(), before);
      });
    }

    it("changes with the key of a need, at any depth", () => {
      const above = (recipe: string) =>
        part("top", { needs: [part("middle", { needs: [part("low", { recipe })] })] });
      assert.notEqual(store().key(above("1")), store().key(above("2")));
      assert.notEqual(store().key(above("1")), store().key(part("top")));
    });

    it("does not exist for an input that is not there, which is named", () => {
      assert.throws(() => key({ inputs: ["no-such"] }), /no-such of part p does not exist/);
    });

    it("does not exist for parts that need each other in a circle", () => {
      const a = part("a");
      const b = part("b", { needs: [a] });
      a.needs.push(b);
      assert.throws(() => store().key(a), /circle: a -> b -> a/);
    });
  });

  describe("a build", () => {
    it("makes a part after what it needs, and gives it their folders", async () => {
      const low = part("low");
      const top = part("top", {
        needs: [low],
        make: async ({ out, from }) => {
          await writeFile(
            join(out, "content"),
            `${await readFile(join(from(low), "content"), "utf8")} and top`,
          );
        },
      });
      const brought = await buildParts([top], { store: store() });
      assert.deepEqual(
        brought.map(({ part: { name }, how }) => [name, how]),
        [
          ["low", "made"],
          ["top", "made"],
        ],
      );
      assert.equal(await readFile(join(store().path(top), "content"), "utf8"), "low and top");
      assert.ok((store().made(top)?.seconds ?? -1) >= 0);
    });

    it("does not make again what is there, nor looks for what only that needs", async () => {
      const low = part("low");
      const top = part("top", { needs: [low] });
      await buildParts([top], { store: store() });
      await rm(store().path(low), { recursive: true });
      const events: Progress[] = [];
      const brought = await buildParts([top], { store: store(), onProgress: (event) => events.push(event) });
      assert.deepEqual(brought, [{ part: top, how: "there", seconds: 0 }]);
      assert.deepEqual(events, [{ kind: "plan", make: 0, there: 1 }]);
      assert.ok(!store().has(low));
    });

    it("refuses a part the folder of one that is not among its needs", async () => {
      const other = part("other");
      const top = part("top", { make: async ({ from }) => void from(other) });
      await assert.rejects(
        buildParts([other, top], { store: store() }),
        /top uses other, which is not among its needs/,
      );
    });

    it("leaves nothing of a part that fails, and names the part, the cause and the log", async () => {
      const failing = part("failing", {
        make: async ({ out, log }) => {
          await writeFile(join(out, "half"), "half");
          log.write("what happened\n");
          throw new Error(`the cause, see ${log.path}`);
        },
      });
      const error = await buildParts([failing], { store: store() }).then(
        () => new Error("it did not fail"),
        (reason: Error) => reason,
      );
      assert.match(error.message, /^Part failing \(failing\) failed: the cause, see /);
      const log = error.message.slice(error.message.indexOf("see ") + 4);
      assert.equal(await readFile(log, "utf8"), "what happened\n");
      assert.deepEqual(await readdir(join(cache, "tmp")), []);
      assert.ok(!store().has(failing));
    });

    it("lets what runs finish when a part fails, and begins nothing new", async () => {
      const failing = part("failing", { heavy: true, make: async () => Promise.reject(new Error("no")) });
      const beside = part("beside");
      const later = part("later", { heavy: true });
      await assert.rejects(buildParts([failing, beside, later], { store: store() }), /failing/);
      assert.ok(store().has(beside));
      assert.ok(!store().has(later));
    });

    it("makes heavy parts one at a time in their order, and light ones beside them", async () => {
      const running = new Set<string>();
      const together = new Set<string>();
      const open = new Set<string>();
      const gated = (name: string, heavy: boolean, needs: Part[] = []) =>
        part(name, {
          heavy,
          needs,
          make: async () => {
            running.add(name);
            together.add([...running].sort().join("+"));
            await until(() => open.has(name) || open.has("all"));
            running.delete(name);
          },
        });
      const h1 = gated("h1", true);
      const h2 = gated("h2", true);
      const l1 = gated("l1", false);
      const l2 = gated("l2", false);
      const afterH2 = gated("afterH2", false, [h2]);
      const started: string[] = [];
      const build = buildParts([h1, h2, afterH2, l1, l2], {
        store: store(),
        lightAtOnce: 1,
        onProgress: (event) => event.kind === "start" && started.push(event.part.name),
      });
      const steps: [string, string[]][] = [
        ["l1", ["h1", "l2"]],
        ["h1", ["h2", "l2"]],
        ["l2", ["h2"]],
        ["h2", ["afterH2"]],
      ];
      try {
        await until(() => running.has("h1") && running.has("l1"));
        for (const [opened, then] of steps) {
          open.add(opened);
          await until(() => !running.has(opened) && then.every((name) => running.has(name)));
          assert.deepEqual([...running].sort(), then);
        }
      } finally {
        open.add("all");
        await build;
      }
      assert.deepEqual(started, ["h1", "l1", "l2", "h2", "afterH2"]);
      for (const names of together) assert.ok(!names.includes("h1+h2") && !names.includes("l1+l2"), names);
    });

    it("tells the plan, each part's number and, while one is made, what runs for how long", async () => {
      const events: Progress[] = [];
      const seen = new Promise<void>((resolve) => {
        const low = part("low", {
          make: () => until(() => events.some(({ kind }) => kind === "tick")),
        });
        const build = buildParts([part("top", { needs: [low] })], {
          store: store(),
          tickSeconds: 0.01,
          onProgress: (event) => events.push(event),
        });
        resolve(build.then(() => {}));
      });
      await seen;
      assert.deepEqual(events[0], { kind: "plan", make: 2, there: 0 });
      const tick = events.find((event) => event.kind === "tick");
      assert.deepEqual(
        tick?.running.map(({ part: { name }, number }) => [name, number]),
        [["low", 1]],
      );
      assert.ok((tick?.running[0]?.seconds ?? 0) > 0);
      const told = events.filter((event) => event.kind === "start" || event.kind === "done");
      assert.deepEqual(
        told.map((event) => [event.kind, event.part.name, event.number, event.of]),
        [
          ["start", "low", 1, 2],
          ["done", "low", 1, 2],
          ["start", "top", 2, 2],
          ["done", "top", 2, 2],
        ],
      );
    });

    it("finds out in well under a second that nothing is to do", async () => {
      for (let file = 0; file < 200; file++) {
        await writeFile(join(checkout, `input/${file}`), "x".repeat(10_000));
      }
      const many = Array.from({ length: 14 }, (_, i) => part(`p${i}`));
      await buildParts(many, { store: store() });
      const began = performance.now();
      const brought = await buildParts(many, { store: store() });
      assert.ok(performance.now() - began < 500);
      assert.ok(brought.every(({ how }) => how === "there"));
    });
  });

  describe("with several processes", () => {
    const gate = () => join(dir, "gate");
    const builder = () => {
      const script = new URL("../support/build-process.ts", import.meta.url).pathname;
      const child = spawn(process.execPath, [script, cache, checkout, gate()], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      children.push(child);
      const said: string[] = [];
      child.stdout.on("data", (text) => said.push(...String(text).trim().split("\n")));
      return { child, said, ended: once(child, "close") };
    };
    const begun = async () =>
      (await readFile(join(checkout, "begun"), "utf8").catch(() => "")).split("\n").length - 1;
    const slow = () => slowPart(checkout, gate());

    it("leaves nothing under a part's name when its build is killed, and the next build makes it", async () => {
      const first = builder();
      await until(async () => (await begun()) === 1);
      first.child.kill("SIGKILL");
      await first.ended;
      assert.ok(!store().has(slow()));
      assert.equal((await readdir(join(cache, "tmp"))).length, 1);

      await writeFile(gate(), "");
      const brought = await buildParts([slow()], { store: store() });
      assert.equal(brought[0]?.how, "made");
      assert.deepEqual((await readdir(store().path(slow()))).sort(), ["half", "whole"]);
      assert.deepEqual(await readdir(join(cache, "tmp")), []);
    });

    it("removes what the killed build of another part left", async () => {
      const first = builder();
      await until(async () => (await begun()) === 1);
      first.child.kill("SIGKILL");
      await first.ended;
      await buildParts([part("other")], { store: store() });
      assert.deepEqual(await readdir(join(cache, "tmp")), []);
    });

    it("makes a part once when two builders want it, and the second waits and finds it there", async () => {
      const first = builder();
      await until(async () => (await begun()) === 1);
      const second = builder();
      await until(() => second.said.includes("waiting"));
      await writeFile(gate(), "");
      await Promise.all([first.ended, second.ended]);
      assert.equal(await begun(), 1);
      assert.equal(first.said.at(-1), "made");
      assert.equal(second.said.at(-1), "there");
    });

    it("lets the second builder make the part when the first is killed while it waits", async () => {
      const first = builder();
      await until(async () => (await begun()) === 1);
      const second = builder();
      await until(() => second.said.includes("waiting"));
      first.child.kill("SIGKILL");
      await until(async () => (await begun()) === 2);
      await writeFile(gate(), "");
      await second.ended;
      assert.equal(second.said.at(-1), "made");
      assert.deepEqual(await readdir(join(cache, "tmp")), []);
    });

    it("leaves alone what another process is making when it tidies up", async () => {
      const first = builder();
      await until(async () => (await begun()) === 1);
      await buildParts([part("other")], { store: store() });
      assert.equal((await readdir(join(cache, "tmp"))).length, 1);
      await writeFile(gate(), "");
      await first.ended;
      assert.equal(first.said.at(-1), "made");
    });
  });
});

/** Waits until something is so; mocha's own limit ends it. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
