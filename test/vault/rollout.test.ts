import assert from "node:assert/strict";
import { makeMount } from "../../operate/rehearsal/mount.ts";
import { readBack } from "../../operate/rehearsal/read-back.ts";
import { Writer } from "../../operate/rehearsal/writer.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { type Road, shownCertificate } from "../../steps/lib/road.ts";
import type { RollingNodes } from "../../steps/lib/rolling-nodes.ts";
import { rollOut } from "../../steps/lib/rollout.ts";
import { snapshotFiles } from "../../steps/lib/snapshot-record.ts";
import { Vault } from "../../steps/lib/vault.ts";
import { issueCertificate, type Made, makeAuthority } from "../../steps/lib/x509.ts";
import { VaultStack } from "../support/vault-stack.ts";

const pods = ["vault-0", "vault-1", "vault-2"];

describe("a rollout, on real Vault processes", function () {
  this.timeout(120_000);
  let stack: VaultStack;
  let authority: Made;
  /** What was done to the nodes, in order. */
  let done: string[];
  /** What the rollout said. */
  let said: string[];
  let certificates: Record<string, Made>;
  const turned = new Set<string>();

  beforeEach(async () => {
    [done, said, certificates] = [[], [], {}];
    turned.clear();
    authority = await makeAuthority("one");
    stack = await VaultStack.start(3);
  });
  afterEach(async function () {
    await stack.end(this);
  });

  const certificateFor = async (pod: string): Promise<Made> => {
    certificates[pod] ??= await issueCertificate(authority, [`${pod}.vault-internal`]);
    return certificates[pod];
  };
  const process = (pod: string) => stack.nodes.at(Number(pod.slice(-1)));
  const anySignal = () => AbortSignal.timeout(100_000);
  const roadTo = (pod: string): Promise<Road> => {
    const addresses = { [pod]: process(pod).address };
    const scheme = process(pod).address.startsWith("https:") ? "https" : "http";
    return openRoad({ scheme, caCert: authority.cert, reach: { kind: "direct", addresses } });
  };
  /** As clients have it: every node by what it speaks now. */
  const road = async (): Promise<Road> => ({
    ...(await roadTo("vault-0")),
    host: () => "localhost",
    connect: async (node, signal) => (await roadTo(node)).connect(node, signal),
  });

  /** The nodes are to speak HTTPS, each with its certificate in `certificates`. */
  const nodes = (more: Partial<RollingNodes> = {}): RollingNodes => ({
    names: pods,
    isStale: async (pod) => {
      if (!turned.has(pod)) return false;
      const { cert } = await certificateFor(pod);
      const shown = await shownCertificate(await roadTo(pod), pod, anySignal());
      return shown?.toString().trim() !== cert.trim();
    },
    reload: async (pod) => {
      done.push(`reload ${pod}`);
      await process(pod).serve(await certificateFor(pod));
      if (await nodes().isStale(pod)) throw new NotYet("it shows its former one");
    },
    seemsToLead: async (pod) => (await process(pod).get("sys/leader")).is_self === true,
    isOutdated: async (pod) => !turned.has(pod),
    // It says no version: what comes of one that does is in upgrade.test.ts.
    image: async () => "hashicorp/vault:latest",
    restart: async (pod) => {
      done.push(`restart ${pod}`);
      await process(pod).stop("SIGTERM");
      await process(pod).turnTlsOn({ ...(await certificateFor(pod)), caCert: authority.cert });
      turned.add(pod);
      await process(pod).start();
    },
    vault: async (pod) => new Vault(await roadTo(pod), pod, { signal: anySignal() }, stack.token),
    ...more,
  });
  const roll = (more: Partial<RollingNodes> = {}, seconds = 60) =>
    rollOut(
      nodes(more),
      {
        stack: "dev",
        stackDir: stack.stackDir,
        reach: stack.target().reach as never,
        ...stack.keys,
        threshold: 3,
      },
      {
        say: (line) => said.push(line),
        signal: anySignal(),
        deadline: Date.now() + seconds * 1000,
        timeoutSeconds: seconds,
      },
    );
  const leader = async () => {
    for (const pod of pods) if (await nodes().seemsToLead(pod)) return pod;
    return assert.fail("nobody leads");
  };
  const healthyVoters = async () => {
    const vault = await nodes().vault(await leader());
    const { servers } = await vault.autopilotState().finally(() => vault.close());
    return Object.entries(servers).filter(([, { healthy, status }]) => healthy && status !== "non-voter")
      .length;
  };

  it("restarts the standbys first and the leader last, and loses no acknowledged write", async () => {
    await stack.up();
    const led = await leader();
    const vault = await nodes().vault("vault-0");
    await makeMount(vault, "ledger");
    vault.close();
    const signal = anySignal();
    const place = { token: stack.token, mount: "ledger" };
    const writer = new Writer({ road: await road(), nodes: pods, prefix: "w", signal, ...place });
    const { restarted, snapshot = "" } = await roll();
    await writer.stop();
    assert.deepEqual(await snapshotFiles(stack.stackDir), [snapshot]);
    const others = pods.filter((pod) => pod !== led);
    assert.deepEqual(restarted, [...others, led]);
    assert.deepEqual(
      done,
      [...others, led].map((pod) => `restart ${pod}`),
    );
    assert.ok(writer.acknowledged.length > 20, `${writer.acknowledged.length} were acknowledged`);
    const step = { say: () => {}, signal, deadline: Date.now() + 60_000, timeoutSeconds: 60 };
    for (const node of pods)
      assert.deepEqual(await readBack(writer.acknowledged, { road: await road(), node, ...place }, step), []);
    assert.equal(await healthyVoters(), 3);
  });

  it("has a renewed certificate taken up without a restart, the leader last", async () => {
    await stack.up();
    await roll();
    const led = await leader();
    certificates = {};
    done = [];
    const saved = await snapshotFiles(stack.stackDir);
    const { reloaded, restarted, snapshot } = await roll();
    assert.deepEqual([restarted, snapshot], [[], undefined]);
    assert.deepEqual(await snapshotFiles(stack.stackDir), saved, "a certificate alone is worth no snapshot");
    assert.deepEqual(reloaded, [...pods.filter((pod) => pod !== led), led]);
    assert.deepEqual(
      [...new Set(done)],
      reloaded.map((pod) => `reload ${pod}`),
    );
  });

  it("changes nothing where every node is as it should be", async () => {
    await stack.up();
    await roll();
    [done, said] = [[], []];
    assert.deepEqual(await roll(), { reloaded: [], restarted: [] });
    assert.deepEqual(done, []);
    assert.deepEqual(said, ["every node runs what the release says"]);
  });

  it("goes on where it was cut off after a restart: that node is unsealed before another is touched", async () => {
    await stack.up();
    const led = await leader();
    const [first = ""] = pods.filter((pod) => pod !== led);
    await nodes().restart(first);
    done = [];
    const { restarted } = await roll();
    assert.deepEqual(
      restarted.toSorted(),
      pods.filter((pod) => pod !== first),
    );
    assert.ok(
      said.indexOf(`${first} unsealed`) < said.findIndex((line) => line.includes("started anew")),
      `${said}`,
    );
    assert.equal(await healthyVoters(), 3);
  });

  it("unseals nodes that were all sealed, before it restarts any", async () => {
    await stack.up();
    for (const pod of pods) await process(pod).restart();
    await roll();
    assert.equal(await healthyVoters(), 3);
  });

  it("restarts no second node while one is away, and says which", async () => {
    await stack.up();
    const led = await leader();
    const [away = "", other = ""] = pods.filter((pod) => pod !== led);
    await process(away).stop();
    turned.add(away);
    await assert.rejects(
      roll({ isStale: async () => false }, 4),
      new RegExp(`waited \\d+ s for ${away} to answer`),
    );
    assert.deepEqual(done, []);
    // One that cannot run as it is, is what the restart is to mend; the others wait for it.
    turned.delete(away);
    await assert.rejects(
      roll({ restart: async () => Promise.reject(new NotYet("it crashes")) }, 6),
      (error: Error) => {
        assert.match(error.message, new RegExp(`${away} to run again.*it crashes|${other}.*${away}`));
        return true;
      },
    );
  });

  it("leaves a node that never joined as blank as it is", async () => {
    await stack.raise(2);
    const { restarted } = await roll();
    assert.deepEqual(restarted.toSorted(), pods);
    const blank = await nodes().vault("vault-2");
    assert.equal((await blank.sealStatus()).initialized, false);
    blank.close();
    assert.equal(await healthyVoters(), 2);
  });
});
