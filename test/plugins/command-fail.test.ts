import assert from "node:assert/strict";
import { local } from "@pulumi/command";
import { CustomResource, type CustomResourceOptions, type Inputs } from "@pulumi/pulumi";
import { errorsOf } from "./support/events.ts";
import { until } from "./support/files.ts";
import { processes } from "./support/processes.ts";
import { makeStack, makeWorld, official, type Run, type TestStack, type World } from "./support/world.ts";

// The messages' form: pulumi/pulumi-command v1.2.1, provider/pkg/provider/local/commandOutputs.go, end of run():
// `%w: running %q:\n%s` of Go's own error, the text and both streams. Unknown and wrong inputs: pulumi/pulumi,
// sdk/go/common/util/mapper/errors.go. A failed delete or update leaves the resource as it was: the engine's rule.

/** Any resource of any inputs, which the SDK's types would not let pass. */
class Untyped extends CustomResource {
  constructor(type: string, name: string, inputs: Inputs, options: CustomResourceOptions = {}) {
    super(type, name, inputs, { version: "1.2.1", ...options });
  }
}

describe("command plug-in, failures", function () {
  this.timeout(300_000);
  let world: World;
  let stack: TestStack;
  let failed: Run;
  let state: string;
  const errors = (name: string) => errorsOf(failed, name);

  before(async () => {
    world = await makeWorld();
    stack = await makeStack(world, "fail");
    // Linux takes at most 128 KiB in one variable of the environment: execve(2).
    const big = "head -c 200000 /dev/zero | tr '\\0' x; :";
    const program = (update: local.CommandArgs) => async () => {
      const command = (name: string, args: local.CommandArgs, options = {}) =>
        new local.Command(name, args, options);
      command("update", { create: "echo first", update: "exit 4", ...update });
      if (!update.stdin) command("bigPrevious", { create: big });
      command("delete", { create: "true", delete: "echo trying; exit 5" });
      return command;
    };
    await stack.up(async () => void (await program({})()));
    failed = await stack.failingUp(async () => {
      const command = await program({ stdin: "new" })();
      command("exit", { create: "echo out\n\techo 'say \"err\"' >&2; exit 3" });
      command("signal", { create: "kill -9 $$" });
      command("noFolder", { create: "true", dir: "/no/such/folder" });
      command("noProgram", { create: "true", interpreter: ["no-such-program"] });
      command("notText", { create: "printf '\\377'", logging: "none" });
      command("bigPrevious", { create: big, stdin: "new" });
      command("noFile", { create: "true", interpreter: ["/no/such/program"] });
      command("longOutput", { create: "seq 1 40000; echo the end >&2; exit 6", logging: "none" });
      command(
        "timeout",
        { create: 'echo "slow"; sleep 31.17 & sleep 31.17' },
        { customTimeouts: { create: "1s" } },
      );
    });
    state = await stack.stateFile();
  });
  after(() => world.stop());

  it("says how the command ended, its whole text, and what it printed on both streams", () => {
    const said = 'exit status 3: running "echo out\\n\\techo \'say \\"err\\"\' >&2; exit 3":\n';
    // Between the two streams there is no order, with the official plug-in neither.
    const both = ['out\nsay "err"\n', 'say "err"\nout\n'];
    assert.ok(
      both.some((printed) => errors("exit").includes(said + printed)),
      errors("exit"),
    );
  });

  it("names the signal that ended a command", () => {
    assert.ok(errors("signal").includes('signal: killed: running "kill -9 $$":'), errors("signal"));
  });

  it("says what could not be started, and why", () => {
    assert.ok(
      errors("noFolder").includes('chdir /no/such/folder: no such file or directory: running "true":'),
    );
    assert.ok(
      errors("noProgram").includes('exec: "no-such-program": executable file not found in $PATH: running'),
    );
    assert.ok(errors("noFile").includes("fork/exec /no/such/program: no such file or directory: running"));
  });

  it("says so when the previous output is too long to be passed on", () => {
    assert.match(errors("bigPrevious"), /fork\/exec \/bin\/sh: argument list too long: running "head/);
  });

  it("fails when the output is no text, which state could not hold", () => {
    assert.match(errors("notText"), /UTF-8/);
  });

  it("shows a long output whole", () => {
    assert.match(errors("longOutput"), /exit status 6: running "seq 1 40000.*\n20000\n/s);
    assert.match(errors("longOutput"), /\n40000\n/);
    assert.match(errors("longOutput"), /the end\n/);
  });

  it("keeps the resource as it was when its update fails, and no resource whose create fails", () => {
    const resources: { urn: string; outputs: Inputs; inputs: Inputs }[] =
      JSON.parse(state).checkpoint.latest.resources;
    const update = resources.find(({ urn }) => urn.endsWith("::update"));
    assert.equal(update?.outputs.stdout, "first");
    assert.equal(update?.inputs.stdin, undefined);
    assert.equal(
      resources.find(({ urn }) => urn.endsWith("::exit")),
      undefined,
    );
  });

  it("keeps a resource whose delete fails", async () => {
    const destroyed = await stack.failingDestroy();
    assert.match(errorsOf(destroyed, "delete"), /exit status 5: running "echo trying; exit 5":\ntrying/);
    assert.match(await stack.stateFile(), /Command::delete"/);
  });

  it("refuses inputs that it does not know or that have a wrong type, all at once, before anything runs", async () => {
    const refused = await stack.failingPreview(async () => {
      new Untyped("command:local:Command", "wrong", {
        shell: "zsh",
        user: "me",
        create: 7,
        environment: { A: ["hvs.hidden"] },
      });
    });
    const text = errorsOf(refused, "wrong");
    assert.match(text, /Unrecognized field 'shell'/);
    assert.match(text, /Unrecognized field 'user'/);
    assert.match(text, /Field 'create'/);
    assert.match(text, /environment/);
  });

  it("fails when the time that customTimeouts gives is over", () => {
    assert.match(errors("timeout"), /signal: (killed|terminated): running "echo \\"slow/);
  });

  if (official) return; // The rest is promised by the project's own plug-in only.

  it("ends the command with all its children when its time is over", async () => {
    await until("no process of the command is left", () =>
      processes().every(({ commandLine }) => commandLine !== "sleep 31.17"),
    );
    assert.match(errors("timeout"), /customTimeouts allows it 1 s/);
  });

  it("refuses by name the inputs that only the official plug-in has", async () => {
    const refused = await stack.failingPreview(async () => {
      new local.Command("assets", { create: "true", assetPaths: ["*"], archivePaths: ["*"] });
    });
    assert.match(errorsOf(refused, "assets"), /assetPaths is not supported/);
    assert.match(errorsOf(refused, "assets"), /archivePaths is not supported/);
  });

  it("refuses by name the resources that only the official plug-in has", async () => {
    const refused = await stack.failingPreview(async () => {
      new Untyped("command:remote:Command", "remote", { create: "true", connection: { host: "127.0.0.1" } });
    });
    assert.match(
      errorsOf(refused, "remote"),
      /command:remote:Command is not supported by the command plug-in/,
    );
  });
});
