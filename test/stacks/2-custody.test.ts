import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execa, type ResultPromise } from "execa";
import { parse, stringify } from "yaml";
import { checkout } from "../../setup/folders.ts";
import { ClusterTools } from "../support/cluster-tools.ts";
import { runCommandOn } from "../support/outside-cluster.ts";
import { holderFiles, type Person } from "../support/pgp-holders.ts";
import { SecretScan } from "../support/secret-scan.ts";
import { eventually, minutes, pods } from "../support/shared-stack.ts";
import {
  dockerLeftovers,
  makeTestStack,
  proposals,
  removeTestStack,
  secretOf,
  type TestStack,
} from "../support/test-stack.ts";
import { underWrites } from "../support/write-ledger.ts";

/** What is awaited or looked at: a command that goes on while others are typed. */
type Running = ResultPromise<{ reject: false; all: true; cwd: string }>;

describe("a stack whose shares people hold", function () {
  this.timeout(10 * minutes);
  this.bail(true);
  let test: TestStack;
  let tools: ClusterTools;
  let scan: SecretScan;
  let people: Person[];
  /** Where the holders' keys are, and what they have on their own machines. */
  let folder: string;
  const shares: string[] = [];
  let root = "";
  const going: Running[] = [];

  before(async () => {
    scan = new SecretScan();
    const made = await holderFiles(3);
    ({ people, folder } = made);
    test = await makeTestStack(
      {
        ...made.config,
        ...{ "vault.shares": "3", "vault.threshold": "2", "whoami.enabled": "false" },
        "timeouts.stepSeconds": "120",
      },
      "-pgp",
    );
    tools = new ClusterTools(test.name, pods);
  });
  after(async () => {
    for (const one of going) one.kill("SIGINT");
    await Promise.allSettled(going);
    scan?.end();
    if (folder) rmSync(folder, { recursive: true, force: true });
    if (test === undefined) return;
    await test.stack.cancel().catch(() => {});
    await test.stack.destroy();
    await removeTestStack(test);
  });

  /** Starts one of commands/, with what somebody pipes into it. */
  const start = (name: string, args: string[], input?: string): Running => {
    const ran = execa(process.execPath, [`commands/${name}.ts`, ...args], {
      ...{ cwd: checkout, reject: false, all: true },
      ...(input === undefined ? { stdin: "ignore" } : { input }),
    }) as unknown as Running;
    going.push(ran);
    return ran;
  };
  const ended = async (ran: Running) => {
    const { exitCode, all = "", stdout } = await ran;
    scan.keep(String(all));
    return { exitCode, all: String(all), stdout: String(stdout) };
  };
  const onStack = (name: string, args: string[] = [], input?: string) =>
    ended(start(name, [...args, "--stack", test.name], input));
  const run = async (name: string, ...args: string[]) => {
    const ran = await runCommandOn(test.name, name, ...args);
    scan.keep(ran.all);
    return ran;
  };
  /** Until a command that goes on has said something. */
  const says = (ran: Running, words: string) => {
    let said = "";
    ran.all?.on("data", (chunk) => {
      said += chunk;
    });
    return eventually(async () => said.includes(words), `"${words}" in a command's output`, 5 * minutes);
  };
  const holder = (at: number) => people[at + 1] ?? assert.fail(`there is no holder ${at}`);

  /** A kubeconfig that may do what examples/holder-role.yaml says, as a holder has it. */
  const holdersKubeconfig = async () => {
    await tools.kubectl(
      "apply",
      "--namespace",
      "vault",
      "--filename",
      join(checkout, "examples/holder-role.yaml"),
    );
    await tools.kubectl("create", "serviceaccount", "holder", "--namespace", "vault");
    await tools.kubectl(
      ...["create", "rolebinding", "holders", "--namespace", "vault"],
      ...["--role", "vault-unseal", "--serviceaccount", "vault:holder"],
    );
    const token = await tools.kubectl(
      "create",
      "token",
      "holder",
      "--namespace",
      "vault",
      "--duration",
      "1h",
    );
    const admin = parse(readFileSync(join(test.stackDir, "kubeconfig"), "utf8"));
    const file = join(folder, "kubeconfig");
    const [context] = admin.contexts;
    const limited = {
      ...admin,
      users: [{ name: "holder", user: { token } }],
      contexts: [{ ...context, context: { ...context.context, user: "holder" } }],
    };
    writeFileSync(file, stringify(limited), { mode: 0o600 });
    return file;
  };

  it("is raised while its holders give their shares from their own machines, one each", async () => {
    const up = start("up", ["--stack", test.name]);
    const done = ended(up);
    await says(up, `each holder of a share: npm run unseal -- --stack ${test.name}`);
    const handed = JSON.parse((await run("custody", "shares", "--json")).stdout) as {
      fingerprint: string;
      files: string[];
    }[];
    for (const person of people) {
      const { files } =
        handed.find(({ fingerprint }) => fingerprint === person.holder.fingerprint) ?? assert.fail();
      for (const file of files.filter((each) => each.endsWith(".asc"))) {
        const secret = await person.decrypt(readFileSync(join(checkout, file), "utf8"));
        if (file.endsWith("root-token.asc")) root = secret;
        else shares.push(secret);
      }
    }
    assert.equal(shares.length, 3);
    const authority = join(checkout, dirname(handed[0]?.files[0] ?? ""), "vault-ca.crt");
    const kubeconfig = await holdersKubeconfig();
    const machine = ["--kubeconfig", kubeconfig, "--authority", authority, "--stay", "30"];
    const [one, other] = [start("unseal", machine, shares[0]), start("unseal", machine, shares[2])];
    await says(up, "the stack's token, which the root token makes");
    const token = await onStack("custody", ["token"], root);
    assert.equal(token.exitCode, 0, token.all);
    const { exitCode, all } = await done;
    assert.equal(exitCode, 0, all);
    assert.match(all, /verify: 3 voters, .* a write was read back through each/);
    assert.match(all, /The key shares are in people's hands/);
    for (const each of [one, other]) {
      each.kill("SIGINT");
      assert.equal((await ended(each)).exitCode, 130);
    }
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("has nothing in its state and its journal that opens it", async () => {
    const outputs = await test.stack.outputs();
    assert.deepEqual([outputs.shares?.value, outputs.shares?.secret], [[], true]);
    assert.ok(outputs.encryptedShares?.secret);
    const { answer, pgp, token } = JSON.parse(readFileSync(join(test.stackDir, "vault-init.json"), "utf8"));
    assert.equal(answer, undefined);
    assert.equal(outputs.rootToken?.value, token);
    assert.equal(pgp.shares.length, 3);
  });

  it("has a pod that was restarted told by the preview, and unsealed by its holders at one terminal", async () => {
    await tools.deletePods("vault-1");
    await eventually(
      async () => (await proposals(test.stack)).includes("update lifecycle-unseal-vault-1"),
      "the preview",
    );
    assert.equal((await onStack("unseal", [], `${shares[0]}\n`)).exitCode, 0);
    const forgot = await onStack("unseal", ["--cancel", "--json"]);
    assert.deepEqual(JSON.parse(forgot.stdout), { forgot: [{ node: "vault-1", shares: 1 }] });
    const unsealed = await onStack("unseal", ["--json"], `${shares[1]}\n${shares[2]}\n`);
    assert.equal(unsealed.exitCode, 0, unsealed.all);
    assert.equal(JSON.parse(unsealed.stdout).wanted, 0);
    const up = await onStack("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("proves in a drill who can decrypt still, and status says how many", async () => {
    assert.match((await run("status")).all, /custody: 0 of 3 holders proved within 90 days/);
    const { challenges } = JSON.parse((await run("custody", "drill", "--json")).stdout);
    const { file } = challenges.find(
      ({ fingerprint }: { fingerprint: string }) => fingerprint === holder(0).holder.fingerprint,
    );
    const answer = await holder(0).decrypt(readFileSync(join(checkout, file), "utf8"));
    const answered = await onStack("custody", ["answer"], answer);
    assert.equal(answered.exitCode, 0, answered.all);
    assert.match((await run("status")).all, /custody: 1 of 3 holders proved within 90 days/);
  });

  it("refuses what wants the shares, and does what its token may do", async () => {
    for (const args of [["generate"], ["revoke", "--user", "olga"]]) {
      const ran = await run("root", ...args);
      assert.equal(ran.exitCode, 1, ran.all);
      assert.match(ran.all, /in people's hands .*Nothing was changed\.\nNext: /);
    }
    const rotated = await run("rotate");
    assert.equal(rotated.exitCode, 0, rotated.all);
    const saved = await run("snapshot", "save", "--json");
    assert.equal(saved.exitCode, 0, saved.all);
    const rehearsed = await run("rehearse", "restore");
    assert.match(rehearsed.all, /in people's hands/);
    const doctor = await run("doctor");
    assert.equal(doctor.exitCode, 0, doctor.all);
  });

  it("is restarted node by node by an update while holders stay, and no acknowledged write is lost", async () => {
    await test.stack.setConfig("telemetry.enabled", { value: "true" });
    const gathering = start("unseal", ["--stack", test.name, "--stay", "30"], `${shares[0]}\n${shares[1]}\n`);
    // Nothing is sealed yet: the shares stay.
    await says(gathering, "2 shares stay in memory");
    const kubeconfig = join(test.stackDir, "kubeconfig");
    const token = String(secretOf(await test.stack.outputs(), "rootToken"));
    const { acknowledged, lost } = await underWrites({ kubeconfig, pods, token }, async () => {
      const up = await onStack("up");
      assert.equal(up.exitCode, 0, up.all);
      assert.match(up.all, /to be started anew: .*then/);
    });
    assert.deepEqual(lost, []);
    assert.ok(acknowledged > 100, `${acknowledged} writes were acknowledged`);
    gathering.kill("SIGINT");
    await gathering;
    assert.deepEqual(await proposals(test.stack), []);
  });

  it("comes to other holders: the present ones give their shares, the new ones prove theirs", async () => {
    const next = await holderFiles(3);
    await test.stack.setConfig("custody.holders", { value: next.config["custody.holders"] ?? "" });
    const plan = await run("rekey", "--dry-run");
    assert.match(
      plan.all,
      /Now: 3 shares, of which 2 open Vault, held by .*\nAfterwards: .*Nothing was changed/,
    );
    const given = await onStack("rekey", ["--json"], `${shares[0]}\n${shares[1]}\n`);
    assert.equal(given.exitCode, 0, given.all);
    const { phase, files } = JSON.parse(given.stdout);
    assert.equal(phase, "new");
    const fresh: string[] = [];
    for (const [at, file] of (files as string[]).entries())
      fresh.push((await next.people[at + 1]?.decrypt(readFileSync(join(checkout, file), "utf8"))) ?? "");
    const proved = await onStack("rekey", ["--json"], `${fresh[0]}\n${fresh[2]}\n`);
    assert.equal(proved.exitCode, 0, proved.all);
    assert.equal(JSON.parse(proved.stdout).phase, "done");
    const up = await onStack("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.deepEqual(await proposals(test.stack), []);
    shares.push(...fresh);
    rmSync(next.folder, { recursive: true });
  });

  it("has left no share and no root token anywhere", async () => {
    const base64 = shares.map((share) => Buffer.from(share, "hex").toString("base64"));
    assert.deepEqual(await scan.find({ shares: base64, rootToken: root }), []);
    assert.ok(scan.looked.size > 20);
  });

  it("ends with its files, and leaves the snapshot and the keys of it", async () => {
    const down = await run("down", "--json");
    assert.equal(down.exitCode, 0, down.all);
    assert.deepEqual(await dockerLeftovers(`vault-ha-${test.name}`), []);
    assert.equal(existsSync(join(test.stackDir, "custody")), false);
    rmSync(test.stackDir, { recursive: true });
  });
});
