import assert from "node:assert/strict";
import { type Status, statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import type { Subject } from "../../operate/views/subject.ts";
import { gatherViews } from "../../operate/views/views.ts";
import { KubeApi, readyStatus, runningStatus } from "../support/kube-api.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { VaultStack } from "../support/vault-stack.ts";

const container = "containerd://3f2a910c77";

/** A real Vault node behind a Kubernetes API that says of its pod what the test wants. */
describe("a node whose views do not agree", function () {
  this.timeout(60_000);
  let stack: VaultStack;
  let kube: KubeApi;

  before(async () => {
    stack = await VaultStack.start(1);
    await stack.raise();
    assert.equal((await stack.verify()).code, 0);
    kube = await KubeApi.start();
  });
  beforeEach(() => {
    kube.pods["vault-0"] = {
      status: readyStatus(container),
      claim: "vault-0-store-1",
      address: stack.nodes.at(0).address,
      labels: {
        "vault-active": "true",
        "vault-sealed": "false",
        "vault-initialized": "true",
        other: "label",
      },
    };
  });
  after(async function () {
    await kube?.end();
    await stack?.end(this);
  });
  const pod = () => kube.pods["vault-0"] ?? assert.fail("no pod");
  const look = async (more: Partial<Subject> = {}): Promise<Status> => {
    const kubernetes = { kind: "kubernetes" as const, kubeconfig: kube.kubeconfig, namespace: "vault" };
    const subject = subjectOf(stack, { resources: stateOf(["vault-0"], { "vault-0": container }), ...more });
    if (subject.target) subject.target = { ...subject.target, reach: kubernetes };
    return statusOf(subject, await gatherViews(subject));
  };
  const only = async (id: string, more: Partial<Subject> = {}) => {
    const { disagreements } = await look(more);
    assert.deepEqual(
      disagreements.map((each) => `${each.id} ${each.node}`),
      [`${id} vault-0`],
    );
    return disagreements[0] ?? assert.fail();
  };

  it("has none while all four agree", async () => {
    const status = await look();
    assert.deepEqual(status.disagreements, []);
    assert.equal(status.verdict, "healthy");
    assert.match(
      statusText(status),
      /vault-0 {2}all steps, 3f2a91 {2}ready, 3f2a91, 0 restarts, pvc vault {2}active, [\d.]+ {2}leader, voter, healthy, lag 0/,
    );
  });

  it("runs in another container than the one that Pulumi unsealed, and is unsealed already", async () => {
    pod().status = readyStatus("containerd://77c1");
    const { says, next } = await only("container-changed");
    assert.match(says, /Pulumi unsealed container 3f2a91, Kubernetes runs 77c1, which is unsealed already/);
    assert.equal(next, "npm run up");
  });

  it("carries labels that Vault does not confirm", async () => {
    pod().labels = { "vault-active": "false", "vault-sealed": "false" };
    const { says, next } = await only("label-differs");
    assert.match(says, /labelled vault-active=false, Vault says active/);
    assert.match(next, /kubectl .* get pod vault-0 --show-labels/);
  });

  it("is not Ready for Kubernetes although Vault is unsealed", async () => {
    pod().status = runningStatus(container);
    assert.match((await only("unsealed-but-not-ready")).next, /describe pod vault-0/);
  });

  it("uses another claim than the one that the journal names", async () => {
    pod().claim = "other-store";
    const { says } = await only("claim-other");
    assert.match(says, /its claim data-vault-0 is other, the journal knows vault$/);
  });

  it("uses another claim than the one that Pulumi pinned, which counts before the journal's", async () => {
    const resources = stateOf(
      ["vault-0"],
      { "vault-0": container },
      { STORES: "vault-0=pinned-1 vault-1=x" },
    );
    const { says } = await only("claim-other", { resources });
    assert.match(says, /its claim data-vault-0 is vault, Pulumi knows pinned$/);
  });

  it("lies in another Kubernetes cluster than the one that Pulumi pinned", async () => {
    const resources = stateOf(["vault-0"], { "vault-0": container }, { KUBERNETES: "known-cluster" });
    const { disagreements } = await look({ resources });
    assert.deepEqual(
      disagreements.map(({ id }) => id),
      ["other-cluster"],
    );
    assert.match(
      disagreements[0]?.says ?? "",
      /Pulumi knows the Kubernetes cluster known-cluster, and the kubeconfig leads to uid-of-kube-system/,
    );
  });

  it("has a pod that does not run, and Kubernetes' reason is told", async () => {
    const waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image" };
    pod().status = {
      phase: "Pending",
      containerStatuses: [{ name: "vault", restartCount: 0, state: { waiting } }],
    };
    // Nobody listens in a pod that does not run.
    delete pod().address;
    const status = await look();
    assert.equal(status.verdict, "down");
    assert.match(status.disagreements[0]?.says ?? "", /its pod does not run.*ImagePullBackOff/);
  });

  it("has no pod although Pulumi has its steps", async () => {
    delete kube.pods["vault-0"];
    const status = await look();
    assert.deepEqual(status.nodes[0]?.kubernetes, { value: null });
    assert.equal(status.disagreements[0]?.id, "pod-gone");
    assert.match(statusText(status), /no pod/);
  });

  it("is sealed in another container than the one that Pulumi unsealed: npm run up unseals it", async () => {
    await stack.nodes.at(0).restart();
    pod().labels = { "vault-active": "false", "vault-sealed": "true", "vault-initialized": "false" };
    pod().status = runningStatus("containerd://77c1");
    const { says, next } = await only("sealed");
    assert.match(
      says,
      /^vault-0: Pulumi unsealed container 3f2a91, Kubernetes runs 77c1, which is sealed: npm run up unseals it$/,
    );
    assert.equal(next, "npm run up");
  });

  it("is sealed in the container that Pulumi unsealed: its unseal step has to run again", async () => {
    pod().labels = {};
    pod().status = runningStatus(container);
    assert.equal((await only("sealed")).next, "pulumi up --stack dev --replace '**lifecycle-unseal-vault-0'");
  });

  it("is Ready for Kubernetes although Vault says that it is sealed", async () => {
    const { disagreements } = await look();
    const found = disagreements.map(({ id }) => id);
    assert.ok(found.includes("ready-but-sealed"), found.join());
  });

  it("is down in words where the Kubernetes API does not answer", async () => {
    const { kubeconfig } = kube;
    await kube.end();
    const reach = { kind: "kubernetes" as const, kubeconfig, namespace: "vault" };
    const subject = subjectOf(stack);
    if (subject.target) subject.target = { ...subject.target, reach };
    const status = statusOf(subject, await gatherViews(subject));
    assert.equal(status.verdict, "down");
    assert.deepEqual(
      status.disagreements.map(({ id }) => id),
      ["kubernetes-unanswered"],
    );
    assert.match(status.disagreements[0]?.says ?? "", /Kubernetes did not answer: .*did not answer GET/);
  });
});
