import assert from "node:assert/strict";
import { rehearseFailover } from "../../operate/rehearsal/failover.ts";
import type { Killer } from "../../operate/rehearsal/killers.ts";
import type { RehearsedVault } from "../../operate/rehearsal/rehearsing.ts";
import { isGood } from "../../operate/rehearsal/report.ts";
import { poll } from "../../setup/processes.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { VaultStack } from "../support/vault-stack.ts";

/** One Vault for all of it: each test begins with three unsealed voters, and has to leave them so. */
describe("a rehearsal of a leader's failure", function () {
  this.timeout(120_000);
  let stack: VaultStack;
  let proxy: RecordingProxy;
  /** What was said, in all tests. */
  const said: string[] = [];
  /** Names of the nodes that were ended. */
  const ended: string[] = [];

  before(async () => {
    stack = await VaultStack.start(3);
    await stack.raise();
    proxy = await RecordingProxy.before(stack.nodes.at(0).address);
    stack.instead["vault-0"] = proxy.address;
  });
  after(async function () {
    await proxy?.end();
    await stack?.end(this);
  });

  const nodeOf = (name: string) => stack.nodes.at(stack.pods.indexOf(name));
  const running = async () => {
    for (const node of stack.nodes.nodes)
      if ((await node.get("sys/health?standbyok=true").catch(() => undefined)) !== undefined) return node;
    throw new Error("no node answers");
  };
  const engines = async () => {
    const { data } = await (await running()).get("sys/mounts", stack.token);
    return Object.keys(data as object);
  };
  const rehearsalMount = async () => (await engines()).find((path) => path.startsWith("rehearsal-")) ?? "";

  /** SIGKILL to the process, after whatever a test does to it behind the ledger's back. */
  const killer = (behindItsBack: () => Promise<unknown> = async () => {}): Killer => ({
    says: "SIGKILL to the vault process",
    aim: async (name) => {
      let down = false;
      return {
        kill: async () => {
          await behindItsBack();
          ended.push(name);
          down = true;
          await nodeOf(name).stop("SIGKILL");
        },
        restore: async () => {
          if (down) await nodeOf(name).start();
          down = false;
        },
        restarted: async () => {},
      };
    },
  });

  const vault = async (pods = stack.pods): Promise<RehearsedVault> => {
    const target = Target.parse({ ...stack.target(), giveUp: [] });
    return { target, road: await openRoad(target), pods, keys: { ...stack.keys, threshold: 3 } };
  };
  const rehearse = async (
    more: {
      killer?: Killer;
      rounds?: number;
      settleSeconds?: number;
      pods?: string[];
      byHolders?: true;
      stop?: AbortController;
    } = {},
  ) => {
    const given = await vault(more.pods);
    const keys = more.byHolders ? { ...given.keys, shares: [], byHolders: true as const } : given.keys;
    return await rehearseFailover({ ...given, keys }, more.killer ?? killer(), {
      rounds: more.rounds ?? 1,
      settleSeconds: more.settleSeconds ?? 0,
      say: (line) => void said.push(line),
      signal: (more.stop ?? new AbortController()).signal,
    });
  };

  const assertWhole = async () => {
    const ran = await stack.verify();
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.answer.failureTolerance, 1);
    assert.equal(await rehearsalMount(), "", "a mount was left");
  };

  it("loses no acknowledged write, names who led before and after, and has all vote again", async () => {
    const [round, ...more] = await rehearse();
    assert.ok(round);
    assert.deepEqual(more, []);
    assert.deepEqual(round.problems, []);
    assert.equal(round.leaderBefore, "vault-0");
    assert.ok(["vault-1", "vault-2"].includes(round.leaderAfter ?? ""), `${round.leaderAfter} leads`);
    assert.deepEqual(round.lost, []);
    assert.ok(isGood(round));
    assert.deepEqual(ended, ["vault-0"]);
    await assertWhole();
  });

  it("sends the node that it ended no share beyond the threshold", () => {
    assert.equal(proxy.count("PUT /v1/sys/unseal"), 3);
  });

  it("finds the writes that were not acknowledged in the gap, and what the nodes said meanwhile", async () => {
    const [round] = await rehearse();
    assert.ok(round?.gap);
    const { from, to } = round.gap;
    assert.ok(from >= round.killedAt - 1_000 && to > round.killedAt);
    const within = round.writes.filter(({ sentAt, endedAt }) => sentAt > from && endedAt < to);
    assert.ok(within.length > 0, "no write failed while nobody led");
    for (const { outcome } of within) assert.notEqual(outcome, "acknowledged");
    const states = (name: string) => round.spans[name]?.map(({ state }) => state) ?? [];
    assert.equal(states(round.leaderBefore)[0], "leads");
    assert.ok(states(round.leaderBefore).includes("silent"), "the node was not seen down");
    assert.equal(states(round.leaderBefore).at(-1), "follows");
    assert.ok(states(round.leaderAfter ?? "").includes("leads"));
    assert.ok((round.wholeAgainMs ?? 0) > 0);
    await assertWhole();
  });

  it("sees an acknowledged write that is gone, through every node", async () => {
    let key = "";
    const [round] = await rehearse({
      killer: killer(async () => {
        const mount = await rehearsalMount();
        const node = await running();
        const { data } = await node.send("LIST", mount, undefined, stack.token);
        key = (data as { keys: string[] }).keys[3] ?? "";
        await node.send("DELETE", mount + key, undefined, stack.token);
      }),
    });
    assert.ok(round);
    assert.match(key, /^1-\d{6}$/);
    assert.deepEqual(
      round.lost,
      stack.pods.map((node) => ({ key, node, found: "nothing" })),
    );
    assert.ok(!isGood(round));
    await assertWhole();
  });

  it("sees an acknowledged write whose value is another one", async () => {
    const [round] = await rehearse({
      killer: killer(async () => {
        const mount = await rehearsalMount();
        await (await running()).send("POST", `${mount}1-000002`, { value: "other" }, stack.token);
      }),
    });
    assert.deepEqual(
      round?.lost.map(({ key, found }) => `${key} ${found}`),
      Array(3).fill("1-000002 another value"),
    );
    await assertWhole();
  });

  it("goes on round after round, whoever leads", async () => {
    const rounds = await rehearse({ rounds: 2 });
    assert.deepEqual(
      rounds.map(({ number, lost, problems }) => ({ number, lost, problems })),
      [1, 2].map((number) => ({ number, lost: [], problems: [] })),
    );
    assert.equal(rounds[1]?.leaderBefore, rounds[0]?.leaderAfter);
    await assertWhole();
  });

  it("brings back what it ended and removes its mount where it is interrupted", async () => {
    const stop = new AbortController();
    const before = ended.length;
    const rehearsal = rehearse({
      stop,
      killer: killer(async () => void setTimeout(() => stop.abort(new Error("Stopped.")), 500)),
    });
    await assert.rejects(rehearsal, /^Error: Stopped\.$/);
    assert.equal(ended.length, before + 1);
    await assertWhole();
  });

  it("asks the holders of the shares for the node that it ended, and waits for nobody once it is interrupted", async () => {
    const [stop, from] = [new AbortController(), said.length];
    const rehearsal = rehearse({ stop, byHolders: true });
    const asked = /: is sealed; each holder of a share: npm run unseal -- --stack dev$/;
    const outcome = assert.rejects(rehearsal, /^Error: Stopped\.$/);
    await poll(async () => said.slice(from).some((line) => asked.test(line)) || undefined, { forMs: 60_000 });
    stop.abort(new Error("Stopped."));
    const began = Date.now();
    await outcome;
    assert.ok(Date.now() - began < 20_000);
    assert.match(said[from] ?? "", /people hold the shares: .* holders of 3 shares .*--stay 60$/);
    const name = ended.at(-1) ?? "";
    assert.ok(
      said
        .slice(from)
        .includes(`${name} is sealed until its holders unseal it: npm run unseal -- --stack dev`),
    );
    assert.equal((await stack.unseal(name)).code, 0);
    await assertWhole();
  });

  it("removes the mount of a rehearsal that was killed, and no other", async () => {
    const node = await running();
    const left = { type: "kv", description: "Made by npm run rehearse" };
    await node.send("POST", "sys/mounts/rehearsal-0badcafe", left, stack.token);
    await node.send("POST", "sys/mounts/rehearsal-dinner", { ...left, description: "Tuesday" }, stack.token);
    await rehearse();
    assert.deepEqual(
      (await engines()).filter((path) => path.startsWith("rehearsal-")),
      ["rehearsal-dinner/"],
    );
    await (await running()).send("DELETE", "sys/mounts/rehearsal-dinner", undefined, stack.token);
  });

  const assertRefused = async (rehearsal: Promise<unknown>, ...parts: RegExp[]) => {
    const before = ended.length;
    const { message } = await rehearsal.then(
      () => assert.fail("it was not refused"),
      (error: Error) => error,
    );
    for (const part of [/^Nothing was done\./, ...parts]) assert.match(message, part);
    assert.equal(ended.length, before);
    assert.equal(await rehearsalMount(), "");
  };

  it("refuses to end the leader of a single node, and says how to have more", async () => {
    const { leader_address } = await (await running()).get("sys/leader");
    const leader = stack.nodes.nodes.find(({ address }) => address === leader_address)?.name ?? "";
    await assertRefused(
      rehearse({ pods: [leader] }),
      /1 Vault node.*\n.*pulumi config set vault\.replicas 3/,
    );
  });

  it("refuses to end a leader while a node is sealed, and says what unseals it", async () => {
    const { leader_address } = await (await running()).get("sys/leader");
    const follower = stack.nodes.nodes.find(({ address }) => address !== leader_address);
    assert.ok(follower);
    await follower.restart();
    const next = /Next: npm run up -- --stack dev$/;
    await assertRefused(rehearse(), new RegExp(`  ${follower.name} is sealed`), next);
    await assertRefused(rehearse({ byHolders: true }), /Next: npm run unseal -- --stack dev$/);
    assert.equal((await stack.unseal(follower.name)).code, 0);
  });

  it("refuses to end a leader while a node does not answer", async () => {
    const { leader_address } = await (await running()).get("sys/leader");
    const follower = stack.nodes.nodes.find(({ address }) => address !== leader_address);
    assert.ok(follower);
    await follower.stop();
    await assertRefused(rehearse(), new RegExp(`${follower.name} did not answer`), /Next: npm run doctor/);
    await follower.start();
    assert.equal((await stack.unseal(follower.name)).code, 0);
    await assertWhole();
  });

  it("says no share and no token", () => {
    assert.ok(said.length > 10);
    for (const secret of stack.secrets()) for (const line of said) assert.ok(!line.includes(secret));
  });
});
