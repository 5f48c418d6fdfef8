import assert from "node:assert/strict";
import { join } from "node:path";
import { local } from "@pulumi/command";
import { type CustomResourceOptions, type Output, secret } from "@pulumi/pulumi";
import { outputsOf, pathsOf, step, toldBy } from "./support/events.ts";
import { linesIn } from "./support/files.ts";
import { makeStack, makeWorld, type Run, type TestStack, type World } from "./support/world.ts";

// Each fact was read in the official sources: pulumi/pulumi-command v1.2.1, provider/pkg/provider/local/
// commandController.go (Update, Delete) and common/inputs.go (replaceOnChanges of triggers); pulumi/
// pulumi-go-provider v1.3.0, infer/resource.go (diff, markComputed); the SDK's own replaceOnChanges: triggers[*].

const previous = 'echo "[$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR]"';

describe("command plug-in, update and delete", function () {
  this.timeout(300_000);
  let world: World;
  let stack: TestStack;
  let preview: Run;
  let second: Run;
  let state: string;

  const at = (file: string) => join(world.scratch, file);
  const ran = (name: string, what: string) => `echo ${what} >> ${at(name)}`;

  /** Both versions of the program: what `one` has becomes what `two` has. */
  const program = (version: 1 | 2) => async () => {
    const outputs: Record<string, Output<unknown>> = {};
    const command = (
      name: string,
      one: local.CommandArgs | undefined,
      two: local.CommandArgs | undefined,
      options: CustomResourceOptions = {},
    ) => {
      const args = version === 1 ? one : two;
      if (!args) return undefined;
      const made = new local.Command(name, args, options);
      outputs[name] = made.stdout;
      return made;
    };
    const logged = (name: string) => ({
      create: ran(name, "create"),
      update: ran(name, "update"),
      delete: ran(name, "delete"),
    });

    command("createOnly", { create: "echo first; echo e >&2" }, { create: previous });
    command(
      "withUpdate",
      { create: "echo first", update: previous },
      { create: "echo other", update: previous },
    );
    command(
      "keeps",
      { create: "echo first", update: 'echo "$PULUMI_COMMAND_STDOUT"' },
      {
        create: "echo first",
        update: 'echo "$PULUMI_COMMAND_STDOUT"',
        stdin: "new",
      },
    );
    command(
      "forgets",
      { create: "echo first", addPreviousOutputInEnv: false },
      { create: previous, addPreviousOutputInEnv: false },
    );
    command("noCommand", { create: "echo first" }, { stdin: "new" });

    command(
      "trigger",
      { ...logged("trigger"), triggers: ["a", { deep: 1 }] },
      { ...logged("trigger"), triggers: ["a", { deep: 2 }] },
    );
    command(
      "triggerMore",
      { ...logged("triggerMore"), triggers: [1] },
      { ...logged("triggerMore"), triggers: [1, 2] },
    );
    command("triggerNew", logged("triggerNew"), { ...logged("triggerNew"), triggers: [1] });
    command(
      "triggerSame",
      { ...logged("triggerSame"), triggers: [1, ["x"]] },
      { ...logged("triggerSame"), triggers: [1, ["x"]] },
    );

    command(
      "paths",
      {
        create: "true",
        environment: { KEEP: "k", CHANGE: "1", GO: "1", "A-B": "1" },
        interpreter: ["/bin/sh", "-c"],
      },
      {
        create: "true",
        environment: { KEEP: "k", CHANGE: "2", COME: "1", "A-B": "2" },
        interpreter: ["/bin/sh", "-ec"],
        dir: "/",
      },
    );
    command(
      "secretStdin",
      { create: "true", stdin: secret("hvs.one") },
      { create: "true", stdin: secret("hvs.two") },
    );
    command("turnsSecret", { create: "true", stdin: "same" }, { create: "true", stdin: secret("same") });
    command("loggingOnly", { ...logged("loggingOnly") }, { ...logged("loggingOnly"), logging: "none" });
    command(
      "ignored",
      { ...logged("ignored"), stdin: "1" },
      { ...logged("ignored"), stdin: "2" },
      { ignoreChanges: ["stdin"] },
    );
    const source = command("source", { create: "echo 1" }, { create: "echo 2" });
    command(
      "follows",
      { create: "cat", stdin: source?.stdout ?? "" },
      { create: "cat", stdin: source?.stdout ?? "" },
    );

    command("goes", { create: "echo out; echo err >&2", delete: `${previous} > ${at("goes")}` }, undefined);
    const ground = command("ground", logged("ground"), undefined);
    command("onGround", logged("onGround"), undefined, ground ? { deletedWith: ground } : {});
    command("kept", logged("kept"), undefined, { retainOnDelete: true });
    command(
      "lastDelete",
      { create: "echo last", delete: `echo "$PULUMI_COMMAND_STDOUT" > ${at("lastDelete")}` },
      {
        create: "echo last",
        delete: `echo "$PULUMI_COMMAND_STDOUT, new text" > ${at("lastDelete")}`,
      },
    );
    return outputs;
  };
  const planned = (name: string) => {
    const metadata = step(preview, name);
    return { op: metadata.op, paths: pathsOf(metadata) };
  };

  before(async () => {
    world = await makeWorld();
    stack = await makeStack(world, "update");
    await stack.up(program(1));
    preview = await stack.preview(program(2));
    second = await stack.up(program(2));
    state = await stack.stateFile();
  });
  after(() => world.stop());

  it("runs create again where there is no update, with the previous output", () => {
    assert.deepEqual(planned("createOnly"), { op: "update", paths: { create: "update" } });
    assert.equal(second.outputs.createOnly, "[first|e]");
  });

  it("runs update where there is one, with the previous output", () => {
    assert.deepEqual(planned("withUpdate"), { op: "update", paths: { create: "update" } });
    assert.equal(second.outputs.withUpdate, "[first|]");
  });

  it("keeps the first output when update prints it", () => {
    assert.deepEqual(planned("keeps"), { op: "update", paths: { stdin: "add" } });
    assert.equal(second.outputs.keeps, "first");
  });

  it("passes no previous output when it is not wanted", () => {
    assert.equal(second.outputs.forgets, "[|]");
  });

  it("keeps the output when no command is left to run", () => {
    assert.deepEqual(planned("noCommand"), { op: "update", paths: { create: "delete", stdin: "add" } });
    assert.equal(second.outputs.noCommand, "first");
  });

  it("replaces when an element of triggers changes, however deep: create first, then delete", () => {
    assert.deepEqual(planned("trigger"), { op: "replace", paths: { "triggers[1].deep": "update-replace" } });
    assert.deepEqual(linesIn(at("trigger")), ["create", "create", "delete"]);
  });

  it("replaces when triggers grow or come", () => {
    assert.deepEqual(planned("triggerMore"), { op: "replace", paths: { "triggers[1]": "add-replace" } });
    assert.deepEqual(planned("triggerNew"), { op: "replace", paths: { triggers: "add-replace" } });
    assert.deepEqual(linesIn(at("triggerNew")), ["create", "create", "delete"]);
  });

  it("does nothing when triggers are the same", () => {
    assert.equal(planned("triggerSame").op, "same");
    assert.deepEqual(linesIn(at("triggerSame")), ["create"]);
  });

  it("names each property that changes by its path", () => {
    assert.deepEqual(planned("paths"), {
      op: "update",
      paths: {
        "environment.CHANGE": "update",
        "environment.GO": "delete",
        "environment.COME": "add",
        'environment["A-B"]': "update",
        "interpreter[1]": "update",
        dir: "add",
      },
    });
  });

  it("sees a changed secret without showing it", () => {
    assert.deepEqual(planned("secretStdin"), { op: "update", paths: { stdin: "update" } });
    assert.deepEqual(planned("turnsSecret"), { op: "update", paths: { stdin: "update" } });
    const found = /hvs\.(one|two)/.exec(toldBy(preview) + toldBy(second) + state);
    assert.equal(found?.[0], undefined);
  });

  it("runs update when only logging changes", () => {
    assert.deepEqual(planned("loggingOnly"), { op: "update", paths: { logging: "add" } });
    assert.deepEqual(linesIn(at("loggingOnly")), ["create", "update"]);
  });

  it("leaves a change that is to be ignored", () => {
    assert.equal(planned("ignored").op, "same");
    assert.deepEqual(linesIn(at("ignored")), ["create"]);
  });

  it("shows what follows from an output as an update, and its value as unknown until then", () => {
    assert.deepEqual(planned("follows"), { op: "update", paths: { stdin: "update" } });
    assert.equal(second.outputs.follows, "2");
  });

  it("holds an output for known in a preview only when no earlier input changes", () => {
    assert.notEqual(outputsOf(preview, "createOnly").stdout, "first");
    assert.equal(outputsOf(preview, "keeps").stdout, "first");
  });

  it("runs delete with the last output", () => {
    assert.equal(step(preview, "goes").op, "delete");
    assert.deepEqual(linesIn(at("goes")), ["[out|err]"]);
  });

  it("runs no delete for what goes with something else, nor for what is to stay", () => {
    assert.deepEqual(linesIn(at("ground")), ["create", "delete"]);
    assert.deepEqual(linesIn(at("onGround")), ["create"]);
    assert.deepEqual(linesIn(at("kept")), ["create"]);
  });

  it("runs the newest delete command when the stack is destroyed", async () => {
    await stack.destroy();
    assert.deepEqual(linesIn(at("lastDelete")), ["last, new text"]);
    assert.deepEqual(linesIn(at("triggerSame")), ["create", "delete"]);
  });
});
