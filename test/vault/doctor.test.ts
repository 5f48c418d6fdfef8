import assert from "node:assert/strict";
import { chmod, cp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { Explained } from "../../operate/doctor/causes.ts";
import { type Diagnosis, diagnose, exitCodeOf } from "../../operate/doctor/diagnosis.ts";
import { gatherEvidence, type Surroundings } from "../../operate/doctor/evidence/gather.ts";
import { diagnosisText } from "../../operate/doctor/text.ts";
import type { Subject } from "../../operate/views/subject.ts";
import { poll } from "../../setup/processes.ts";
import { readKeys, writeKeys } from "../../steps/lib/keys-file.ts";
import { itWhere } from "../support/left-out.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { runStep } from "../support/step-process.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { insideOf, surroundingsOf } from "../support/surroundings.ts";
import { VaultStack } from "../support/vault-stack.ts";

const asRoot = itWhere("(as root)");

interface Look {
  subject?: Partial<Subject>;
  around?: Partial<Surroundings>;
}

/** Each fault is made on real Vault processes, recognised, and undone: the next one begins on a healthy cluster. */
describe("the doctor, at real Vault nodes", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  /** The servers as verify saw them, which the state keeps. */
  let peers: { node: string; address: string }[];

  const node = (pod: string) => stack.nodes.at(Number(pod.at(-1)));
  const look = async ({ subject, around }: Look = {}): Promise<Diagnosis> => {
    const resources = stateOf(stack.pods, {}, {}, peers);
    const evidence = await gatherEvidence(
      subjectOf(stack, { resources, ...subject }),
      surroundingsOf(stack, around),
    );
    return diagnose(evidence);
  };
  const ids = ({ findings }: Diagnosis) => findings.map(({ id, nodes }) => [id, ...nodes].join(" "));
  /** Looks until something of this kind is found; elections and autopilot's looks take a moment. */
  const found = async (id: string, how: Look = {}): Promise<Explained & { all: Diagnosis }> => {
    let last: Diagnosis | undefined;
    const one = await poll(
      async () => {
        last = await look(how);
        return last.findings.find((finding) => finding.id === id);
      },
      { forMs: 30_000 },
    );
    if (!one || !last) return assert.fail(`waited for ${id}; last seen:\n${last && diagnosisText(last)}`);
    assert.equal(exitCodeOf(last), 1);
    return { ...one, all: last };
  };
  const nothing = async (how: Look = {}): Promise<void> => {
    let last: Diagnosis | undefined;
    const well = await poll(
      async () => {
        last = await look(how);
        return exitCodeOf(last) === 0 || undefined;
      },
      { forMs: 30_000 },
    );
    assert.ok(well, `waited for a healthy cluster; last seen:\n${last && diagnosisText(last)}`);
  };
  const shows = ({ evidence }: Explained, ...parts: (string | RegExp)[]) => {
    const text = evidence.map(({ asked, answered }) => `${asked} => ${answered}`).join("\n");
    for (const part of parts)
      if (typeof part === "string") assert.ok(text.includes(part), `"${part}" is not in:\n${text}`);
      else assert.match(text, part);
  };
  const unseal = async (pod: string) => assert.equal((await stack.unseal(pod)).code, 0);
  const leader = async (): Promise<string> => {
    const name = await poll(
      async () => {
        for (const { name } of stack.nodes.nodes)
          if (
            (
              await node(name)
                .get("sys/leader")
                .catch(() => ({ is_self: false }))
            ).is_self
          )
            return name;
        return undefined;
      },
      { forMs: 30_000 },
    );
    return name ?? assert.fail("nobody leads");
  };
  const follower = async () => {
    const first = await leader();
    return stack.pods.find((pod) => pod !== first) ?? "";
  };

  before(async () => {
    stack = await VaultStack.start(3);
  });
  beforeEach(async () => {
    // The first tests are of a cluster that is being formed.
    if (peers) await nothing();
  });
  after(async function () {
    await stack?.end(this);
  });

  it("says of blank nodes that npm run up goes on", async () => {
    const { findings } = await look({ subject: { resources: stateOf([]) } });
    assert.deepEqual(
      findings.map(({ id }) => id),
      ["not-initialised", "not-initialised", "not-initialised"],
    );
    assert.deepEqual(findings[0]?.next, ["npm run up"]);
  });

  it("finds a follower that has not joined, and shows that it reaches the others", async () => {
    assert.equal((await stack.init()).code, 0);
    await unseal("vault-0");
    const resources = stateOf(["vault-0"]).filter(({ urn }) => !urn.includes("verify"));
    const finding = await found("not-joined", { subject: { resources } });
    assert.match(finding.wrong, /^vault-1 has not joined$/);
    shows(
      finding,
      "seal-status of vault-1 => initialized: false",
      "raft configuration: vault-1 => not in it",
    );
    shows(finding, /last lines of the log of vault-1 => .*/);
    assert.deepEqual(finding.because, []);
    assert.deepEqual(finding.next, ["npm run up"]);
  });

  it("finds the stabilization time low after a run that was cut off before verify", async () => {
    await stack.raise();
    const finding = await found("stabilization-low");
    shows(finding, "server_stabilization_time => 1s, Vault's own is 10s");
    assert.match(finding.next[0] ?? "", /autopilot set-config -server-stabilization-time=10s/);
    const verified = await stack.verify();
    assert.equal(verified.code, 0, verified.stderr);
    peers = verified.answer.peers;
  });

  it("finds nothing on a healthy cluster, and says what it looked at", async () => {
    await nothing();
    const text = diagnosisText(await look());
    assert.match(
      text,
      /Looked at:\n {2}Docker[\s\S]*a majority of the voters is there\n[\s\S]*\n\nStack dev: nothing was found\./,
    );
  });

  it("finds a sealed node, with how many shares it has, and npm run up after it", async () => {
    const pod = await follower();
    await node(pod).restart();
    await node(pod).send("PUT", "sys/unseal", { key: stack.keys.shares[0] });
    const finding = await found("sealed");
    assert.deepEqual(finding.nodes, [pod]);
    shows(finding, `seal-status of ${pod} => sealed: true, progress 1 of 3`);
    assert.match(finding.means, /Some shares were sent/);
    assert.deepEqual(finding.next, ["npm run up"]);
    // What follows from it stands after it.
    const unhealthy = finding.all.findings.find(({ id }) => id === "raft-unhealthy");
    if (unhealthy) assert.deepEqual(unhealthy.because, [`sealed ${pod}`]);
    await unseal(pod);
  });

  it("finds a node that hangs, and what follows from it", async () => {
    const pod = await follower();
    node(pod).freeze();
    const finding = await found("vault-unanswered");
    node(pod).thaw();
    assert.deepEqual(finding.nodes, [pod]);
    shows(finding, /seal-status of vault-\d => .*no answer within/, /last lines of the log/);
    const peer = finding.all.findings.find(({ id }) => id === "peer-no-answer");
    assert.ok(peer?.because.includes(`vault-unanswered ${pod}`), JSON.stringify(peer));
  });

  it("finds the API port closed where a node's process is gone", async () => {
    const pod = await follower();
    await node(pod).stop();
    const finding = await found("peer-port-closed");
    shows(finding, /vault status .*-address=http:\/\/127.0.0.1:\d+, in vault-\d => .*connection refused/);
    assert.ok(finding.because.includes(`vault-unanswered ${pod}`), finding.because.join());
    await node(pod).start();
    await unseal(pod);
  });

  asRoot("finds that a follower cannot reach the leader, though both answer here (as root)", async () => {
    const pod = await follower();
    // A network of its own, in which there is nobody.
    const inside = insideOf(stack, { through: { [pod]: ["unshare", "--net"] } });
    const finding = await found("peer-no-answer", { around: { inside } });
    assert.deepEqual(finding.nodes, [pod, await leader()]);
    shows(finding, /vault status .*, in vault-\d => .*network is unreachable/);
    assert.match(finding.next[0] ?? "", new RegExp(`kubectl exec ${pod} -- vault status`));
  });

  it("finds that a peer's name is not known", async () => {
    const pod = await follower();
    // The command is the real one, with a name that no DNS gives.
    const rename = ["sh", "-c", `exec $(printf '%s ' "$@" | sed 's#//127.0.0.1:#//nobody.invalid:#')`, "sh"];
    const inside = insideOf(stack, { through: { [pod]: rename } });
    const finding = await found("peer-name-unknown", { around: { inside } });
    shows(finding, /no such host|Temporary failure|server misbehaving/);
    assert.match(finding.next[0] ?? "", /get service vault-internal/);
  });

  it("finds keys in the journal that are not those of the state", async () => {
    const keys = await readKeys(stack.stackDir);
    if (!keys?.answer) return assert.fail("no journal");
    const others = {
      shares: keys.answer.shares.map((share) => share.replace(/^./, "Q")),
      rootToken: "hvs.of-another",
    };
    await writeKeys(stack.stackDir, { ...keys, answer: { ...keys.answer, ...others } });
    const finding = await found("keys-differ", {
      subject: { keys: async () => ({ ...others, threshold: 3 }) },
    });
    await writeKeys(stack.stackDir, keys);
    shows(finding, /shares and root token of .*vault-init.json, against those of the state => not the same/);
    assert.match(finding.next.at(-1) ?? "", /pulumi stack output shares --show-secrets --stack dev/);
    const token = finding.all.findings.find(({ id }) => id === "token-refused");
    assert.ok(token, ids(finding.all).join());
    shows(token, /with the stack's token => .*with 403/);
    assert.ok(!JSON.stringify(finding.all).includes("hvs.of-another"));
  });

  it("finds a journal whose shares are not as many as Vault was initialised with", async () => {
    const keys = await readKeys(stack.stackDir);
    if (!keys?.answer) return assert.fail("no journal");
    const { shares } = keys.answer;
    await writeKeys(stack.stackDir, { ...keys, answer: { ...keys.answer, shares: shares.slice(0, 3) } });
    const finding = await found("keys-do-not-fit");
    await writeKeys(stack.stackDir, keys);
    shows(finding, /shares in .* => 3/, "n => 5");
  });

  it("finds a journal that others can read, with its mode and the chmod line", async () => {
    const path = join(stack.stackDir, "vault-init.json");
    await chmod(path, 0o644);
    const finding = await found("journal-readable");
    await chmod(path, 0o600);
    shows(finding, "=> 0644, wanted 0600");
    assert.deepEqual(finding.next, [`chmod 600 ${path}`]);
  });

  it("finds that the journal is gone, and where the keys are still", async () => {
    const path = join(stack.stackDir, "vault-init.json");
    await rename(path, `${path}.away`);
    const finding = await found("journal-missing");
    const foreign = await found("journal-missing", { subject: { resources: [] } });
    await rename(`${path}.away`, path);
    assert.match(finding.means, /only copy of the keys is in Pulumi's state/);
    assert.match(finding.next[1] ?? "", /pulumi stack output shares --show-secrets/);
    assert.match(foreign.means, /initialised by somebody else, or its keys are lost/);
  });

  it("finds a server in Raft that this stack does not run", async () => {
    const pods = ["vault-0", "vault-1"];
    const finding = await found("stranger", { subject: { pods } });
    shows(finding, /raft\/configuration of vault-\d => vault-2 at 127\.0\.0\.1:\d+, a voter/);
    shows(finding, "pods that the stack runs => vault-0, vault-1");
    assert.match(finding.next[0] ?? "", /vault operator raft remove-peer vault-2/);
  });

  it("finds that a step is at work on the stack", async () => {
    const pod = await follower();
    await node(pod).stop();
    let finding: Explained | undefined;
    const input = { ...stack.target(), pod, shares: stack.keys.shares, threshold: 3, timeoutSeconds: 5 };
    await runStep("unseal", input, {
      started: async () => {
        finding = await found("at-work");
      },
    });
    shows(
      finding ?? assert.fail(),
      new RegExp(`who holds the stack => step unseal ${pod} still runs \\(process \\d+`),
    );
    await node(pod).start();
    await unseal(pod);
  });

  for (const [seconds, says] of [
    [40, /is (39|40|41) s ahead of this machine's/],
    [-3600, /is (3599|3600|3601) s behind this machine's/],
  ] as const)
    it(`finds a clock that is off by ${seconds} s (a proxy shifts Vault's answer: the machine's clock stays)`, async () => {
      const pod = await follower();
      const proxy = await RecordingProxy.before(node(pod).address, undefined, {
        changed: (asked, body) => {
          if (!asked.startsWith("GET /v1/sys/health")) return body;
          const health = JSON.parse(body) as { server_time_utc: number };
          return JSON.stringify({ ...health, server_time_utc: health.server_time_utc + seconds });
        },
      });
      stack.instead[pod] = proxy.address;
      const finding = await found("clock-skew");
      delete stack.instead[pod];
      await proxy.end();
      assert.deepEqual(finding.nodes, [pod]);
      assert.match(finding.wrong, says);
      assert.match(finding.means, /valid from 30 s before they were made/);
      shows(finding, /sys\/health of vault-\d: server_time_utc => -?\d+ ms ahead/);
    });

  asRoot("finds a disk that fills up, and one that is full (as root)", async () => {
    const pod = await follower();
    const data = join(node(pod).folder, "data");
    await node(pod).stop();
    await cp(data, `${data}.kept`, { recursive: true });
    await execa("mount", ["-t", "tmpfs", "-o", "size=256m", "tmpfs", data]);
    try {
      await cp(`${data}.kept`, data, { recursive: true });
      await node(pod).start();
      await unseal(pod);
      await fill(data, 90);
      const filling = await found("disk-filling");
      shows(
        filling,
        new RegExp(`df -P -k ${data} in ${pod} => (89|90|91) % used \\(\\d+ MiB\\), \\d+ MiB left`),
      );
      await fill(data, 97);
      const full = await found("disk-full");
      shows(full, /=> (96|97|98) % used/);
      assert.match(full.next[0] ?? "", new RegExp(`kubectl exec ${pod} -- du `));
    } finally {
      await node(pod).stop();
      await rm(join(data, "fill"), { force: true });
      await rm(`${data}.kept`, { recursive: true });
      await cp(data, `${data}.kept`, { recursive: true });
      await execa("umount", [data]);
      await rm(data, { recursive: true });
      await rename(`${data}.kept`, data);
    }
    await node(pod).start();
    await unseal(pod);
  });

  it("finds a node that was removed from the cluster", async () => {
    const pod = await follower();
    const first = node(await leader());
    await first.send("POST", "sys/storage/raft/remove-peer", { server_id: pod }, stack.token);
    const finding = await found("removed");
    assert.deepEqual(finding.nodes, [pod]);
    shows(finding, "removed_from_cluster => true");
    assert.match(
      finding.next.join("\n"),
      new RegExp(`delete pvc/data-${pod} pod/${pod}[\\s\\S]*vault.giveUp`),
    );
    await node(pod).blank();
    await stack.raiseAgain(pod);
  });

  it("finds a node whose store is blank, though the state has it as a voter", async () => {
    const pod = await follower();
    await node(pod).blank();
    const finding = await found("blank-store");
    shows(
      finding,
      "initialized: false",
      `steps that were done => join, unseal, voter`,
      /raft configuration: .* => voter, /,
    );
    assert.match(finding.next[0] ?? "", new RegExp(`raft remove-peer ${pod}`));
    const first = node(await leader());
    await first.send("POST", "sys/storage/raft/remove-peer", { server_id: pod }, stack.token);
    await stack.raiseAgain(pod);
  });

  it("finds the quorum lost, why each voter is away, and that bringing them back comes first", async () => {
    const [first = "", second = "", third = ""] = stack.pods;
    await node(first).stop();
    await node(second).restart();
    const finding = await found("quorum-lost");
    assert.match(finding.wrong, /1 of 3 voters can vote, 2 are needed/);
    assert.deepEqual(finding.nodes, [first, second]);
    shows(finding, new RegExp(`voter ${first} \\(127.*\\) => does not answer`), `=> sealed, 0 of 3 shares`);
    shows(finding, new RegExp(`voter ${third} \\(127.*\\) => standby`));
    assert.deepEqual(finding.because, [`vault-unanswered ${first}`, `sealed ${second}`]);
    assert.equal(finding.next[0], "npm run up");
    // Root causes come first, the loss of the quorum after them.
    assert.ok(
      ids(finding.all).indexOf(`sealed ${second}`) < ids(finding.all).findIndex((id) => /^quorum/.test(id)),
    );
    await node(first).start();
    await unseal(first);
    await unseal(second);
  });

  it("explains a recovery by peers.json that brings the last survivor to lead, when it is followed", async () => {
    await nothing();
    const lost = [node("vault-0"), node("vault-1")];
    const last = node("vault-2");
    for (const each of lost) await each.stop();
    const finding = await found("quorum-lost");
    const line = finding.next.find((each) => each.includes("/vault/data/raft/peers.json")) ?? "";
    assert.match(
      line,
      /^echo '\[\{"id":"vault-2","address":"127\.0\.0\.1:\d+","non_voter":false\}\]' \| kubectl exec -i vault-2 /,
    );
    const json = /^echo '(.*)' \|/.exec(line)?.[1] ?? "";
    await writeFile(join(last.folder, "data/raft/peers.json"), json);
    await last.restart();
    await unseal("vault-2");
    assert.equal(await leader(), "vault-2");
    // The cluster is another one now; nothing comes after this.
  });
});

/** Fills a file system up to so many of 100. */
async function fill(folder: string, percent: number): Promise<void> {
  const { stdout } = await execa("df", ["-P", "-k", folder]);
  const [, , used = "0", available = "0"] = stdout.split("\n").at(-1)?.split(/\s+/).slice(-6).slice(0) ?? [];
  const [size, taken] = [Number(used) + Number(available), Number(used)];
  const wanted = Math.floor((size * percent) / 100) - taken;
  await execa("dd", [
    "if=/dev/zero",
    `of=${join(folder, "fill")}`,
    "bs=1k",
    `count=${wanted}`,
    "oflag=append",
    "conv=notrunc",
  ]);
}
