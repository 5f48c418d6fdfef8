import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { cp, symlink } from "node:fs/promises";
import { join } from "node:path";
import { linesIn, until } from "./support/files.ts";
import { familyOf, type Process, processes } from "./support/processes.ts";
import { checkout, makeWorld, official, type World } from "./support/world.ts";

// The official plug-in kills the shell alone (Go's exec.CommandContext) and then waits for whoever holds its pipes;
// that nothing of a step is left is the project's own promise, so there is no test of it against the official one.
if (!official) {
  describe("command plug-in, cancellation", function () {
    this.timeout(300_000);
    let world: World;
    let pulumi: ChildProcess;
    let printed: string;
    let family: Process[] = [];

    const groupOf = (name: string) => Number(linesIn(join(world.scratch, name))[0]);
    const left = (name: string) => processes().filter(({ group }) => group === groupOf(name));
    const start = (args: string[]) => {
      printed = "";
      pulumi = spawn("pulumi", [...args, "--stack", "cancel", "--non-interactive"], {
        cwd: join(world.folder, "program"),
        env: { ...process.env, ...world.env, STEP_FILES: world.scratch },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const pipe of [pulumi.stdout, pulumi.stderr]) pipe?.on("data", (part) => (printed += part));
    };
    const ended = () =>
      until("pulumi has ended", () => pulumi.exitCode !== null || pulumi.signalCode !== null);

    beforeEach(async () => {
      world = await makeWorld();
      // A copy, because pulumi writes the stack's settings beside the program.
      await cp(join(checkout, "test/plugins/programs/long-step"), join(world.folder, "program"), {
        recursive: true,
      });
      await symlink(join(checkout, "node_modules"), join(world.folder, "program/node_modules"));
      start(["stack", "init", "--no-select"]);
      await ended();
      assert.equal(pulumi.exitCode, 0, printed);
      start(["up", "--yes", "--skip-preview"]);
      await until("both steps run", () =>
        ["obedient", "stubborn"].every((name) => left(name).length === 3),
      ).catch((error) => assert.fail(`${error}\n${printed}`));
      family = familyOf(pulumi.pid ?? 0);
    });
    afterEach(async () => {
      const alive = new Set(processes().map(({ id }) => id));
      for (const { id } of [...family, ...familyOf(pulumi.pid ?? 0)]) {
        if (alive.has(id)) process.kill(id, "SIGKILL");
      }
      await world.stop();
    });

    it("ends every process of every step when the user interrupts: by TERM, else by KILL", async () => {
      pulumi.kill("SIGINT");
      await ended();
      assert.deepEqual([...left("obedient"), ...left("stubborn")], []);
      assert.notEqual(pulumi.exitCode, 0);
      assert.match(printed, /signal: terminated: running "echo \$\$/);
      assert.match(printed, /signal: killed: running "trap ''/);
      assert.match(printed, /ended because the update was cancelled/);
    });

    it("ends every step and itself when the engine dies without a word", async () => {
      const plugin = family.find(({ commandLine }) => commandLine.includes("plugins/command/main.ts"));
      assert.ok(plugin, "the plug-in is none of pulumi's processes");
      pulumi.kill("SIGKILL");
      await ended();
      await until(
        "no process of the steps is left",
        () => left("obedient").length + left("stubborn").length === 0,
      );
      await until("the plug-in has ended", () => processes().every(({ id }) => id !== plugin.id));
    });
  });
}
