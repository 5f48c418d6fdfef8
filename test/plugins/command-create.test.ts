import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { local } from "@pulumi/command";
import { type Output, secret } from "@pulumi/pulumi";
import { linesOf, step, toldBy } from "./support/events.ts";
import { linesIn } from "./support/files.ts";
import { makeStack, makeWorld, type Run, type TestStack, type World } from "./support/world.ts";

// Each fact was read in the official sources: pulumi/pulumi-command v1.2.1, provider/pkg/provider/local/
// commandOutputs.go (run: environment, stdin, trimming, logging) and commandController.go (create), and
// pulumi/pulumi-go-provider v1.3.0, infer/resource.go (markSecret, markComputed: secrets and unknowns).

const secretText = "hvs.never-in-clear";
const mebibyte = 1024 * 1024;

describe("command plug-in, create", function () {
  this.timeout(300_000);
  let world: World;
  let stack: TestStack;
  let preview: Run;
  let first: Run;
  let state: string;

  const at = (file: string) => join(world.scratch, file);
  const counted = (name: string) => `echo ran >> ${at(name)}`;

  const program = async () => {
    const outputs: Record<string, Output<unknown>> = {};
    const command = (name: string, args: local.CommandArgs, options = {}) => {
      const made = new local.Command(name, args, options);
      outputs[name] = made.stdout;
      outputs[`${name}Error`] = made.stderr;
      return made;
    };

    const plain = command("plain", {
      create: `${counted("plain")}; printf ' out \\n\\n'; printf 'err\\n' >&2`,
    });
    outputs.plainId = plain.id;
    command("dependent", { create: 'echo "got $FROM"', environment: { FROM: plain.stdout } });
    command("nothing", {});
    command("stdin", { create: "cat", stdin: "one\ntwo\n" });
    command("unreadStdin", { create: "echo done", stdin: "x".repeat(mebibyte) });
    command("noStdin", { create: "cat", stdin: "" });
    command("environment", { create: 'echo "$OWN, $PULUMI_HOME"', environment: { OWN: "value" } });
    command("folder", { create: "pwd", dir: world.scratch });
    command("interpreter", { create: "a  b", interpreter: ["/bin/echo", "-n", "says"] });
    command("firstRun", {
      create: 'echo "[$PULUMI_COMMAND_STDOUT]"',
      environment: { PULUMI_COMMAND_STDOUT: "own" },
    });
    const speak = "echo to-stdout; sleep 0.2; echo to-stderr >&2; sleep 0.2; printf 'no newline'";
    command("logDefault", { create: speak });
    command("logBoth", { create: speak, logging: "stdoutAndStderr" });
    command("logStdout", { create: speak, logging: "stdout" });
    command("logStderr", { create: speak, logging: "stderr" });
    command("logNone", { create: speak, logging: "none" });
    command(
      "live",
      { create: `echo waiting; until [ -e ${at("seen")} ]; do sleep 0.05; done; echo went on` },
      { customTimeouts: { create: "60s" } },
    );

    command("secretIn", { create: "wc -c", stdin: secret(secretText), logging: "none" });
    command("secretVariable", {
      create: 'printf %s "$TOKEN" | wc -c',
      environment: { TOKEN: secret(secretText) },
    });
    command(
      "secretOut",
      { create: "cat; cat >&2 < /dev/null", stdin: secret(secretText), logging: "none" },
      { additionalSecretOutputs: ["stdout", "stderr"] },
    );
    outputs.run = local.runOutput({ command: `${counted("function")}; echo ran`, logging: "none" }).stdout;
    outputs.runSecret = local.runOutput({
      command: "cat",
      stdin: secret(secretText),
      logging: "none",
    }).stdout;
    const much = local.runOutput({
      command: `head -c ${5 * mebibyte} /dev/zero | tr '\\0' m`,
      logging: "none",
    });
    outputs.much = much.stdout.apply((text) => text.length);
    return outputs;
  };

  before(async () => {
    world = await makeWorld();
    stack = await makeStack(world, "create");
    preview = await stack.preview(program);
    first = await stack.up(program, ({ diagnosticEvent }) => {
      if (diagnosticEvent?.message.includes("waiting")) writeFileSync(at("seen"), "");
    });
    state = await stack.stateFile();
  });
  after(() => world.stop());

  it("runs a command once, and in no preview", () => {
    assert.equal(step(preview, "plain").op, "create");
    assert.deepEqual(linesIn(at("plain")), ["ran"]);
  });

  it("runs the function in the preview and in the update", () => {
    assert.deepEqual(linesIn(at("function")), ["ran", "ran"]);
    assert.equal(first.outputs.run, "ran");
  });

  it("gives stdout and stderr without their last newline, and nothing else trimmed", () => {
    assert.equal(first.outputs.plain, " out \n");
    assert.equal(first.outputs.plainError, "err");
  });

  it("names a resource after itself and eight hexadecimal digits", () => {
    assert.match(String(first.outputs.plainId), /^plain[0-9a-f]{8}$/);
  });

  it("takes an input that is known only in the update", () => {
    assert.equal(step(preview, "dependent").op, "create");
    assert.equal(first.outputs.dependent, "got  out \n");
  });

  it("gives empty output where there is no command", () => {
    assert.deepEqual([first.outputs.nothing, first.outputs.nothingError], ["", ""]);
  });

  it("passes stdin as it is, and an empty one as the end of input", () => {
    assert.equal(first.outputs.stdin, "one\ntwo");
    assert.equal(first.outputs.noStdin, "");
  });

  it("does not mind a command that leaves its stdin unread", () => {
    assert.equal(first.outputs.unreadStdin, "done");
  });

  it("adds the environment to the engine's", () => {
    assert.equal(first.outputs.environment, `value, ${world.env.PULUMI_HOME}`);
  });

  it("runs in the folder asked for", () => {
    assert.equal(first.outputs.folder, world.scratch);
  });

  it("hands the text to the interpreter as its last argument", () => {
    assert.equal(first.outputs.interpreter, "says a  b");
  });

  it("has no earlier output to pass when it creates", () => {
    assert.equal(first.outputs.firstRun, "[own]");
  });

  it("takes more output than one message of gRPC holds by default", () => {
    assert.equal(first.outputs.much, 5 * mebibyte);
  });

  it("shows lines of both streams at the resource, also the last one without a newline", () => {
    for (const name of ["logDefault", "logBoth"]) {
      // Between the two streams there is no order, with the official plug-in neither.
      assert.deepEqual(linesOf(first, name).sort(), ["no newline", "to-stderr", "to-stdout"], name);
    }
  });

  it("shows only the stream that logging names, and captures both", () => {
    assert.deepEqual(linesOf(first, "logStdout"), ["to-stdout", "no newline"]);
    assert.deepEqual(linesOf(first, "logStderr"), ["to-stderr"]);
    assert.deepEqual(linesOf(first, "logNone"), []);
    for (const name of ["logStdout", "logStderr", "logNone"]) {
      assert.equal(first.outputs[name], "to-stdout\nno newline", name);
      assert.equal(first.outputs[`${name}Error`], "to-stderr", name);
    }
  });

  it("shows lines while the command runs", () => {
    // The command went on only because this test saw its first line.
    assert.deepEqual(linesOf(first, "live"), ["waiting", "went on"]);
  });

  it("keeps secret inputs secret, and unwraps them for the command", () => {
    assert.match(String(first.outputs.secretIn), new RegExp(`^ *${secretText.length}$`));
    assert.match(String(first.outputs.secretVariable), new RegExp(`^ *${secretText.length}$`));
    assert.ok(!state.includes(secretText), "the secret stands in the state file in clear");
    assert.ok(!toldBy(first).includes(secretText), "the secret was shown");
  });

  it("makes outputs secret only where additionalSecretOutputs says so", () => {
    assert.equal(first.outputs.secretOut, secretText);
    assert.ok(first.secretOutputs.includes("secretOut"));
    assert.ok(first.secretOutputs.includes("secretOutError"));
    assert.ok(!first.secretOutputs.includes("secretIn"));
    assert.ok(!first.secretOutputs.includes("secretVariable"));
  });

  it("gives a function's result as a secret when an argument was one", () => {
    assert.equal(first.outputs.runSecret, secretText);
    assert.ok(first.secretOutputs.includes("runSecret"));
  });

  it("proposes no change, and runs nothing again, for the same program", async () => {
    const again = await stack.up(program);
    const ops = new Set(again.events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata.op ?? []));
    assert.deepEqual([...ops], ["same"]);
    assert.deepEqual(linesIn(at("plain")), ["ran"]);
  });

  it("finds nothing changed, and runs nothing, when the stack is refreshed", async () => {
    const refreshed = await stack.refresh();
    const changes = refreshed.events.flatMap(({ summaryEvent }) => summaryEvent?.resourceChanges ?? []);
    assert.deepEqual(
      changes.map(({ same, ...others }) => [Number(same) > 10, others]),
      [[true, {}]],
    );
    assert.deepEqual(linesIn(at("plain")), ["ran"]);
  });
});
