import assert from "node:assert/strict";
import type { Voter } from "../../operate/doctor/recovery.ts";
import { type Found, findLeft, problemsOf } from "../../operate/recover/found.ts";
import { foundText, nextCommands } from "../../operate/recover/text.ts";
import type { Views } from "../../operate/views/views.ts";
import { evidenceOf } from "../support/evidence.ts";
import { stateOf } from "../support/subject.ts";

const pods = ["vault-0", "vault-1", "vault-2"];
const commands = { unseal: "npm run up", restore: "npm run restore <snapshot>" };
const claim = (pod: string, uid: string) => ({ name: `data-${pod}`, uid, phase: "Bound" });
const standing = evidenceOf();
const blank = { ...standing.vault["vault-2"]?.value, initialised: false, sealed: true, leads: false };

/** vault-2 is left; of the others something is seen. */
function left(vault: object, claims: ReturnType<typeof claim>[] = []): Found {
  const resources = stateOf(pods, {}, { STORES: "vault-0=old-0 vault-1=old-1 vault-2=old-2" });
  const evidence = evidenceOf({
    resources,
    raft: { failed: "no leader" },
    kubernetes: { value: { pods: {}, claims } },
    vault: { ...standing.vault, ...vault } as Views["vault"],
  });
  return findLeft(evidence.subject, evidence);
}
const silent = { failed: "vault-0 did not answer GET /v1/sys/seal-status: no answer" };

describe("what is left of a Vault whose quorum is lost", () => {
  it("tells a blank store, a claim that is gone and one that is another from a node that only does not answer", () => {
    const stores = (found: Found) => found.lost.map(({ node, store, why }) => `${node} ${store}: ${why}`);
    assert.deepEqual(stores(left({ "vault-0": { value: blank }, "vault-1": silent })), [
      "vault-0 gone: it runs on a blank store",
      "vault-1 gone: its claim is gone",
    ]);
    const seen = left({ "vault-0": silent, "vault-1": silent }, [
      claim("vault-0", "new-0"),
      claim("vault-1", "old-1"),
    ]);
    const [first = "", second = ""] = stores(seen);
    assert.match(first, /^vault-0 gone: its claim is another one \(new-0, known was old-0\)/);
    assert.match(second, /^vault-1 unknown: its claim data-vault-1 \(old-1\) is there; it does not answer/);
    assert.match(problemsOf(seen, [], undefined, commands).join(), /^vault-1 may come back.*--lost vault-1$/);
    assert.deepEqual(problemsOf(seen, ["vault-1"], undefined, commands), []);
  });

  it("is nothing where no store is left: a snapshot is the way on", () => {
    const all = { "vault-0": { value: blank }, "vault-1": { value: blank }, "vault-2": { value: blank } };
    const problems = problemsOf(left(all), [], undefined, commands);
    assert.match(problems.join(), /no voter answers with a store.*npm run restore <snapshot>/);
  });

  it("has to be the same nodes where a recovery was cut off", () => {
    const found = left({ "vault-0": { value: blank }, "vault-1": { value: blank } });
    const begun = { begunAt: "2026-01-02T00:00:00Z", file: ".local/stacks/dev/recovery.json" };
    assert.deepEqual(problemsOf(found, [], { ...begun, survivors: ["vault-2"] }, commands), []);
    assert.match(
      problemsOf(found, [], { ...begun, survivors: ["vault-1"] }, commands).join(),
      /begun at .* with vault-1, and now vault-2 answer.*rm \.local\/stacks\/dev\/recovery\.json/,
    );
  });

  it("is told with what may be lost, and which of several is the furthest", () => {
    const voters = pods.concat("vault-3", "vault-4").map((node) => ({ node, address: `${node}:8201` }));
    const [one, two, ...others] = voters as [Voter, Voter, ...Voter[]];
    const text = foundText({
      voters,
      survivors: [
        { ...one, sealed: false, index: 41 },
        { ...two, sealed: false, index: 57 },
      ],
      lost: others.map((voter) => ({ ...voter, store: "gone", why: "its claim is gone" })),
    });
    assert.match(text, /^5 voters, 3 are a majority, 2 have their stores:/);
    assert.match(text, /vault-0 .*raft index 41\n.*vault-1 .*raft index 57, the highest\n/);
    assert.match(text, /may be lost: writes .* had reached only vault-2, vault-3, vault-4\./);
  });
});

describe("what comes after a recovery", () => {
  const next = (lost: string[], found: Pick<Found, "lost">) => {
    const resources = stateOf(pods, {}, { STORES: "vault-0=old-0 vault-1=old-1 vault-2=old-2" });
    const evidence = evidenceOf({ resources, kubernetes: { value: { pods: {}, claims: [] } } });
    return nextCommands(evidence.subject, evidence, found, {
      leader: "vault-2",
      address: "http://vault-2.vault-internal:8200",
      lost,
    });
  };

  it("lets vault-0 join by hand, since the others join through it, and gives the lost stores up", () => {
    const lines = next(["vault-0", "vault-1"], { lost: [] }).filter((line) => !line.startsWith("#"));
    assert.match(
      lines[0] ?? "",
      /exec vault-0 -- sh -c 'vault operator raft join http:\/\/vault-2\.vault-internal:8200'$/,
    );
    assert.deepEqual(lines.slice(1, 4), [
      "pulumi config set vault.giveUp old-0,old-1 --stack dev",
      "npm run up",
      "pulumi config rm vault.giveUp --stack dev",
    ]);
  });

  it("deletes the stores first that must not come back", () => {
    const lost = [
      { node: "vault-1", address: "vault-1:8201", store: "unknown" as const, why: "it does not answer" },
    ];
    const [, first = ""] = next(["vault-1"], { lost });
    assert.match(first, /delete --ignore-not-found pvc\/data-vault-1 pod\/vault-1$/);
  });
});
