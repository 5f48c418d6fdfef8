import assert from "node:assert/strict";
import { type Status, statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import type { Subject } from "../../operate/views/subject.ts";
import { gatherViews } from "../../operate/views/views.ts";
import { poll } from "../../setup/processes.ts";
import type { TlsSecret } from "../../steps/lib/tls-secret.ts";
import { Authority, secretTexts } from "../support/authority.ts";
import { KubeApi, readyStatus } from "../support/kube-api.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { VaultStack } from "../support/vault-stack.ts";

const container = "containerd://3f2a910c77";
const secretName = "vault-server-tls";
/** The stack makes the certificate itself. */
const resources = [
  ...stateOf(["vault-0"], { "vault-0": container }),
  ...["vault-tls-certificate", "vault-tls-secret"].map((noun) => ({
    urn: `urn:pulumi:dev::vault-ha::${noun}`,
    type: noun,
  })),
];

/** Real Vault nodes behind a Kubernetes API that holds what Secret the test wants. */
describe("the status of a Vault with TLS", function () {
  this.timeout(60_000);
  let authority: Authority;
  let stack: VaultStack;
  let plain: VaultStack;
  let kube: KubeApi;

  before(async () => {
    authority = await Authority.make();
    stack = await VaultStack.start(1, { tls: await authority.issue() });
    plain = await VaultStack.start(1);
    for (const each of [stack, plain]) {
      await each.raise();
      assert.equal((await each.verify()).code, 0);
    }
    kube = await KubeApi.start();
  });
  after(async function () {
    await kube?.end();
    await stack?.end(this);
    await plain?.end(this);
  });

  /** The node shows the one, the Secret holds the other. */
  const have = async (shown: TlsSecret, held = shown) => {
    kube.pods["vault-0"] = {
      status: readyStatus(container),
      claim: "vault-0-store-1",
      address: stack.nodes.at(0).address,
      speaks: { scheme: "https", tlsSecret: secretName },
    };
    kube.secrets[secretName] = secretTexts(held);
    await stack.nodes.at(0).serve(shown);
  };
  const look = async (more: Partial<Subject> = {}, of = stack, scheme: "http" | "https" = "https") => {
    const reach = { kind: "kubernetes" as const, kubeconfig: kube.kubeconfig, namespace: "vault" };
    const subject = subjectOf(of, { resources, ...more });
    if (subject.target === undefined) assert.fail();
    const { caCert: _, ...target } = subject.target;
    subject.target = {
      ...target,
      scheme,
      reach: scheme === "https" ? { ...reach, tlsSecret: secretName } : reach,
    };
    return statusOf(subject, await gatherViews(subject));
  };
  /** Looks until the disagreements are these: a node takes a moment to take up what it is given. */
  const only = async (ids: string[], more: Partial<Subject> = {}, ...where: [VaultStack?, "http"?]) => {
    let last: Status | undefined;
    const found = await poll(
      async () => {
        last = await look(more, ...where);
        const seen = last.disagreements.map(({ id, node }) => (node ? `${id} ${node}` : id));
        return String(seen) === String(ids) ? last : undefined;
      },
      { forMs: 20_000 },
    );
    return found ?? assert.fail(`waited for ${ids}; last seen: ${JSON.stringify(last, null, 2)}`);
  };

  it("names the certificate, until when it is good and where it comes from", async () => {
    await have(await authority.issue({ until: 100.5 }));
    const status = await only([]);
    assert.equal(status.verdict, "healthy");
    const { certificate, problems } = status.tls?.holds.value ?? assert.fail();
    assert.deepEqual([certificate?.issuer, certificate?.daysLeft, problems], ["an authority", 100, []]);
    assert.deepEqual(status.nodes[0]?.tls, { speaks: "https", shows: certificate });
    assert.match(
      statusText(status),
      /\n {2}TLS: certificate by an authority, until \d{4}-\d\d-\d\d \(100 days\), Secret vault-server-tls, shown by 1 of 1 nodes\n/,
    );
  });

  it("never holds the certificate's key", async () => {
    const tls = await authority.issue();
    await have(tls);
    const all = JSON.stringify(await only([]));
    for (const line of tls.key.split("\n").filter((each) => each.length > 20)) assert.ok(!all.includes(line));
  });

  it("is degraded with fewer than 30 days left, and says that npm run up renews it", async () => {
    await have(await authority.issue({ until: 29.5 }));
    const { verdict, disagreements } = await only(["certificate-ends-soon"]);
    assert.equal(verdict, "degraded");
    assert.match(disagreements[0]?.says ?? "", /ends in 29 days; npm run up renews it/);
    assert.equal(disagreements[0]?.next, "npm run up");
  });

  it("says nothing with 30 days left", async () => {
    await have(await authority.issue({ until: 30.5 }));
    await only([]);
  });

  it("tells a node that shows another certificate than the Secret holds", async () => {
    await have(await authority.issue(), await authority.issue());
    const { verdict, disagreements } = await only(["certificate-other vault-0"]);
    assert.equal(verdict, "degraded");
    assert.match(
      disagreements[0]?.says ?? "",
      /vault-0: it shows certificate [0-9A-F:]{11}, the Secret vault-server-tls holds [0-9A-F:]{11}$/,
    );
    assert.equal(disagreements[0]?.next, "npm run up");
  });

  it("expects the pods to take it up by themselves where somebody else makes the Secret", async () => {
    await have(await authority.issue(), await authority.issue());
    const others = resources.filter(({ urn }) => !urn.includes("vault-tls"));
    const { disagreements } = await only(["certificate-other vault-0"], { resources: others });
    assert.match(disagreements[0]?.says ?? "", /by itself within some minutes/);
    assert.match(disagreements[0]?.next ?? "", /logs vault-0 --container certificate-watch$/);
  });

  it("is down with a certificate that has expired, which the node's column says", async () => {
    await have(await authority.issue({ from: -9, until: -1 }));
    const status = await only(["certificate-expired", "certificate-refused vault-0"]);
    assert.equal(status.verdict, "down");
    assert.match(statusText(status), / {2}certificate expired {2}/);
    assert.match(statusText(status), /TLS: certificate by an authority, expired on \d{4}-/);
    assert.match(status.disagreements[0]?.says ?? "", /the certificate expired on \d{4}-/);
    assert.equal(
      status.disagreements[0]?.next,
      "pulumi up --stack dev --refresh --replace '**vault-tls-certificate'",
    );
  });

  it("tells a certificate that is not valid yet", async () => {
    await have(await authority.issue({ from: 2 }));
    const status = await only(["certificate-not-yet-valid", "certificate-refused vault-0"]);
    assert.match(statusText(status), / {2}certificate not yet valid {2}/);
  });

  it("is told from a node that shows a certificate of another authority than the Secret's", async () => {
    const other = await Authority.make("another");
    await have(await other.issue(), await authority.issue());
    const status = await only(["certificate-refused vault-0"]);
    assert.match(statusText(status), / {2}certificate of another authority {2}/);
    assert.equal(status.disagreements[0]?.next, "npm run doctor");
  });

  it("tells a Secret whose key is another certificate's, before anybody takes it up", async () => {
    const shown = await authority.issue();
    await have(shown, { ...shown, key: (await authority.issue()).key });
    const { disagreements, verdict } = await only(["certificate-unfit"]);
    assert.equal(verdict, "degraded");
    assert.match(disagreements[0]?.says ?? "", /the private key is not that of the certificate/);
  });

  it("tells a certificate that is not for the host of the stack's file", async () => {
    await have(await authority.issue());
    const { disagreements } = await only(["certificate-unfit"], { host: () => "vault.example.org" });
    assert.match(disagreements[0]?.says ?? "", /the certificate is not for vault\.example\.org; it is for/);
  });

  it("tells a Secret that is gone", async () => {
    await have(await authority.issue());
    delete kube.secrets[secretName];
    const status = await only(["certificate-missing", "vault-unanswered vault-0"]);
    assert.match(
      status.disagreements[0]?.says ?? "",
      /there is no Secret vault-server-tls in namespace vault/,
    );
    assert.match(statusText(status), /TLS: the certificate of the Secret vault-server-tls is not known/);
  });

  it("asks a node that still speaks HTTP as its pod says, and names npm run up", async () => {
    await have(await authority.issue());
    Object.assign(kube.pods["vault-0"] ?? {}, {
      address: plain.nodes.at(0).address,
      speaks: { scheme: "http" },
    });
    const { disagreements, nodes, verdict } = await only(["other-scheme vault-0"], {}, plain);
    assert.equal(verdict, "degraded");
    assert.equal(nodes[0]?.vault.value?.state, "active");
    assert.equal(nodes[0]?.raft.value?.leader, true);
    assert.match(disagreements[0]?.says ?? "", /still speaks HTTP, the stack says HTTPS/);
    assert.equal(disagreements[0]?.next, "npm run up");
  });

  it("asks a node that still speaks HTTPS with the Secret that its pod was given", async () => {
    await have(await authority.issue());
    const { disagreements, nodes } = await only(["other-scheme vault-0"], {}, stack, "http");
    assert.equal(nodes[0]?.vault.value?.state, "active");
    assert.match(disagreements[0]?.says ?? "", /still speaks HTTPS, the stack says HTTP:/);
  });
});
