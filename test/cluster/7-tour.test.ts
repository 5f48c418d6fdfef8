import assert from "node:assert/strict";
import { once } from "node:events";
import { execa } from "execa";
import { Api } from "../../operate/tour/api.ts";
import { openTour } from "../../operate/tour/open-tour.ts";
import { type Through, ways } from "../../operate/tour/place.ts";
import type { Told } from "../../operate/tour/take-step.ts";
import { checkout } from "../../setup/folders.ts";
import { minutes, sharedStack } from "../support/shared-stack.ts";
import { heldBy } from "../support/toured.ts";

describe("npm run tour, on a real cluster", function () {
  this.timeout(2 * minutes);
  type Shared = Awaited<ReturnType<typeof sharedStack>>;
  let shared: Shared;
  before(async () => {
    shared = await sharedStack();
  });

  const open = (through: Through) => openTour(shared.test.name, through);
  const held = async () => {
    const { toured } = await open("port");
    const api = new Api(toured.place, "npm run doctor");
    const values = { VAULT_TOKEN: toured.token };
    const get = async (path: string) =>
      (await api.send({ method: "GET", path, token: "VAULT_TOKEN" }, values)).json;
    return heldBy(get).finally(() => api.close());
  };

  for (const through of ways) {
    it(`goes well in every step through the ${through}, and leaves nothing`, async () => {
      const before = await held();
      const { exitCode, stdout, stderr } = await shared.command("tour", "--json", "--through", through);
      assert.equal(exitCode, 0, stderr);
      const steps: Told[] = JSON.parse(stdout);
      assert.equal(steps.length, 23);
      const { scheme } =
        (await open(through)).toured.place.address.match(/^(?<scheme>https?):/)?.groups ?? {};
      for (const { curl, cli, says } of steps) {
        assert.equal(curl.includes('--cacert "$VAULT_CACERT"'), scheme === "https", curl);
        assert.ok(says.length > 20 && cli.includes("vault "));
      }
      assert.deepEqual(await held(), before);
      assert.equal(stderr, "");
    });

    it(`tells how to prepare a shell in which its lines go through the ${through}`, async () => {
      const { exitCode, stdout } = await shared.command("tour", "--through", through);
      assert.equal(exitCode, 0);
      const [head = "", health = ""] = stdout.split(/^\[[12]\/23\] .*$/m);
      const typed = (text: string) => text.match(/^ {2}(eval|export|[A-Z_]+=|curl).*$/gm) ?? [];
      // Every process is watched for the root token here, and curl would show it: no line with it is typed.
      const setsToken = (line: string) => line.includes("VAULT_TOKEN=");
      const lines = typed(head).filter((line) => !setsToken(line));
      const sh = (...input: string[]) =>
        execa("bash", ["-euo", "pipefail"], { input: input.join("\n"), cwd: checkout });
      const ran = await sh(...lines, 'echo "$VAULT_ADDR $SECRET $PLAINTEXT"', ...typed(health));
      const [said = "", ...answer] = ran.stdout.split("\n");
      const [address, secret, plaintext = ""] = said.split(" ");
      assert.equal(address, (await open(through)).toured.place.address);
      assert.equal(Buffer.from(plaintext, "base64").toString(), secret);
      assert.equal(JSON.parse(answer.join()).sealed, false);
      const token = typed(head).find(setsToken) ?? "";
      const command = /"\$\((pulumi .*)\)"/.exec(token)?.[1] ?? "";
      const { stdout: printed } = await sh(...lines, command);
      assert.ok(printed === shared.keys().rootToken, "it is not the root token");
    });
  }

  it("waits for whoever works on the stack, and ends at Ctrl-C with nothing made", async () => {
    const before = await held();
    // The lock goes with the process that holds it.
    const holder = execa(process.execPath, ["--input-type=module"], {
      input: `
        import { takeStackLock } from ${JSON.stringify(`${checkout}/steps/lib/stack-lock.ts`)};
        const limits = { deadline: Date.now() + 1000, timeoutSeconds: 1 };
        const signal = new AbortController().signal;
        await takeStackLock(${JSON.stringify(shared.test.stackDir)}, "a test", { say: console.log, signal, ...limits });
        console.log("held");
        setInterval(() => {}, 1000);`,
    });
    // An end of either before it speaks ends the wait as well.
    await Promise.race([once(holder.stdout, "data"), holder]);
    const args = ["commands/tour.ts", "--stack", shared.test.name];
    const tour = execa(process.execPath, args, { cwd: checkout, reject: false, stdin: "ignore" });
    await Promise.race([once(tour.stderr, "data"), tour]);
    tour.kill("SIGINT");
    const { exitCode, stderr, stdout } = await tour;
    holder.kill();
    await holder.catch(() => {});
    assert.equal(exitCode, 130);
    assert.match(
      stderr,
      /^step a test still runs \(process \d+, .*\), of another run: waiting for it to end\n/,
    );
    assert.match(stderr, /Stopping: what was made is removed first/);
    assert.equal(stdout, "");
    assert.deepEqual(await held(), before);
  });

  it("says of a stack that is not there how it is made", async () => {
    const ran = await execa(process.execPath, ["commands/tour.ts", "--stack", "test-nonesuch"], {
      cwd: checkout,
      reject: false,
    });
    assert.equal(ran.exitCode, 1);
    assert.match(
      ran.stderr,
      /There is no stack test-nonesuch\. Make it with: npm run up -- --stack test-nonesuch/,
    );
  });
});
