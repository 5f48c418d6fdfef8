import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { containerIdentities } from "../../steps/lib/pods.ts";
import { Authority, secretTexts } from "../support/authority.ts";
import { KubeApi, runningStatus } from "../support/kube-api.ts";
import { RecordingProxy } from "../support/recording-proxy.ts";
import { assertRefused, VaultStack } from "../support/vault-stack.ts";

const unschedulable = {
  phase: "Pending",
  conditions: [
    {
      type: "PodScheduled",
      status: "False",
      reason: "Unschedulable",
      message: "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
    },
  ],
};
const unpulled = {
  phase: "Pending",
  conditions: [{ type: "PodScheduled", status: "True" }],
  containerStatuses: [
    {
      name: "vault",
      restartCount: 0,
      state: {
        waiting: { reason: "ImagePullBackOff", message: 'Back-off pulling image "hashicorp/vault:0"' },
      },
    },
  ],
};
const crashing = {
  phase: "Running",
  containerStatuses: [
    {
      name: "vault",
      containerID: "containerd://old",
      restartCount: 4,
      state: { waiting: { reason: "CrashLoopBackOff" } },
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
    },
  ],
};

describe("Vault's pods, reached through the Kubernetes API", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let kube: KubeApi;

  before(async () => {
    stack = await VaultStack.start(1);
    kube = await KubeApi.start();
  });
  beforeEach(() => {
    kube.pods["vault-0"] = {
      status: runningStatus("containerd://one"),
      claim: "claim-one",
      address: stack.nodes.at(0).address,
    };
  });
  after(async function () {
    await kube?.end();
    await stack?.end(this);
  });
  const through = () => ({ reach: { kind: "kubernetes", kubeconfig: kube.kubeconfig, namespace: "vault" } });

  it("waits for a pod that is not there yet, and says so", async () => {
    delete kube.pods["vault-0"];
    assertRefused(
      await stack.init({ ...through(), timeoutSeconds: 1 }),
      "waited 1 s for vault-0",
      "pod vault-0 does not exist in namespace vault",
    );
  });

  for (const [what, status, ...reasons] of [
    ["that no node takes", unschedulable, "Unschedulable", "anti-affinity"],
    ["whose image cannot be pulled", unpulled, "ImagePullBackOff", "hashicorp/vault:0"],
    ["whose Vault ends again and again", crashing, "CrashLoopBackOff", "exit code 1"],
  ] as const) {
    it(`tells Kubernetes' own reason for a pod ${what}`, async () => {
      kube.pods["vault-0"] = { status, claim: "claim-one" };
      assertRefused(
        await stack.init({ ...through(), timeoutSeconds: 1 }),
        "vault-0 does not run",
        ...reasons,
      );
    });
  }

  it("tells the kubelet's words where nothing listens in the pod", async () => {
    kube.pods["vault-0"] = { status: runningStatus("containerd://one"), claim: "claim-one" };
    const ran = await stack.init({ ...through(), timeoutSeconds: 1 });
    assertRefused(ran, "an error occurred forwarding 8200", "ECONNREFUSED");
  });

  it("initialises, unseals and proves a pod that is not ready, with one tunnel a step", async () => {
    const init = await stack.init(through());
    assert.equal(init.code, 0, init.stderr);
    assert.equal(init.answer.pvcUid, "claim-one");
    const before = kube.opened;
    const unseal = await stack.unseal("vault-0", through());
    assert.equal(unseal.code, 0, unseal.stderr);
    assert.equal(kube.opened, before + 1);
    const verify = await stack.verify(through());
    assert.equal(verify.code, 0, verify.stderr);
    assert.equal(verify.answer.leader, "vault-0");
  });

  it("refuses to take a blank volume for the one it knows, by the claims' UIDs", async () => {
    await stack.nodes.at(0).blank();
    const known = kube.pods["vault-0"];
    if (known) known.claim = "claim-two";
    assertRefused(await stack.init(through()), "Known store: claim-one; found: claim-two, blank");
  });

  it("goes on through a new tunnel when the old one is cut", async () => {
    const cutter = await RecordingProxy.before(stack.nodes.at(0).address, () => {
      if (cutter.asked.length <= 2) kube.cut();
      return true;
    });
    const pod = kube.pods["vault-0"];
    if (pod) pod.address = cutter.address;
    const ran = await stack.unseal("vault-0", through());
    await cutter.end();
    // The node is blank: the step got through, and saw it when it was about to send the shares.
    assertRefused(ran, "vault-0 is not initialised");
    assert.equal(cutter.asked.length, 4);
  });

  it("initialises a pod as it speaks now, where the step has its input of before a change", async () => {
    const authority = await Authority.make();
    const certificate = await authority.issue();
    const secured = await VaultStack.start(1, { tls: certificate });
    try {
      const tlsSecret = "vault-server-tls";
      kube.secrets[tlsSecret] = secretTexts(certificate);
      const pod = kube.pods["vault-0"] ?? assert.fail();
      pod.address = secured.nodes.at(0).address;
      pod.speaks = { scheme: "https", tlsSecret };
      const init = await secured.init({ ...through(), scheme: "http", caCert: undefined });
      assert.equal(init.code, 0, init.stderr);
    } finally {
      await secured.end();
    }
  });

  it("shows no token of the kubeconfig, which is part of its input", () => {
    for (const { stderr, seen } of stack.ran) assert.doesNotMatch(stderr + seen, /kube-token/);
  });
});

describe("the identities of the running containers", function () {
  this.timeout(10_000);
  let kube: KubeApi;
  before(async () => {
    kube = await KubeApi.start();
  });
  after(() => kube?.end());
  const pods = ["vault-0", "vault-1", "vault-2"];
  const look = (waitSeconds: number, said: string[] = []) =>
    containerIdentities(kube.kubeconfig, "vault", pods, { waitSeconds, say: (line) => said.push(line) });

  it("are told at once where nobody waits, with the reason for each pod that does not run", async () => {
    kube.pods["vault-0"] = { status: runningStatus("containerd://one"), claim: "a" };
    kube.pods["vault-1"] = { status: unschedulable, claim: "b" };
    const said: string[] = [];
    assert.deepEqual(await look(0, said), {
      "vault-0": "containerd://one",
      "vault-1": "not running",
      "vault-2": "not running",
    });
    assert.match(said.join("\n"), /pod vault-1 does not run \(Pending; Unschedulable: 0\/1 nodes/);
    assert.match(said.join("\n"), /pod vault-2 does not exist in namespace vault/);
  });

  it("come with the last event where a pod's status has no reason, as of one that waits for its volume", async () => {
    kube.pods["vault-0"] = { status: { phase: "Pending" }, claim: "a" };
    const event = (name: string, lastTimestamp: string, message: string) =>
      kube.events.push({ involvedObject: { name }, reason: "Some", message, lastTimestamp });
    event("data-vault-0", "2026-01-01T00:00:02Z", "waiting for a volume to be created");
    event("vault-0", "2026-01-01T00:00:01Z", "older");
    event("data-vault-1", "2026-01-01T00:00:03Z", "of another pod");
    const said: string[] = [];
    await look(0, said);
    assert.match(
      said.join("\n"),
      /vault-0 does not run \(Pending\); last event, of data-vault-0: Some: waiting for a/,
    );
  });

  it("do not take the last container of a crashing pod for a running one", async () => {
    kube.pods["vault-0"] = { status: crashing, claim: "a" };
    assert.equal((await look(0))["vault-0"], "not running");
  });

  it("are waited for, and change with a restart", async () => {
    for (const name of pods) kube.pods[name] = { status: unpulled, claim: name };
    const looking = look(8);
    await sleep(300);
    for (const name of pods) kube.pods[name] = { status: runningStatus(`containerd://${name}`), claim: name };
    assert.equal((await looking)["vault-2"], "containerd://vault-2");
    kube.pods["vault-2"] = { status: runningStatus("containerd://again"), claim: "vault-2" };
    assert.equal((await look(0))["vault-2"], "containerd://again");
  });

  it("fail where the Kubernetes API does not answer", async () => {
    const gone = await KubeApi.start();
    const { kubeconfig } = gone;
    await gone.end();
    await assert.rejects(
      containerIdentities(kubeconfig, "vault", pods, { waitSeconds: 0 }),
      /the Kubernetes API at http:\/\/127\.0\.0\.1:\d+ did not answer GET .*ECONNREFUSED/,
    );
  });
});
