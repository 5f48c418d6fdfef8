import assert from "node:assert/strict";
import { explain } from "../../operate/doctor/causes.ts";
import { certificate } from "../../operate/doctor/checks/certificate.ts";
import { seal } from "../../operate/doctor/checks/seal.ts";
import type { Evidence } from "../../operate/doctor/evidence/evidence.ts";
import type { CertificateSeen, NodeTls, TlsView } from "../../operate/views/tls-view.ts";
import { daysLeft } from "../../steps/lib/certificates.ts";
import { evidenceOf, findings } from "../support/evidence.ts";

const dayMs = 24 * 60 * 60 * 1000;

function seen({ from = -10, until = 300, name = "AA:BB:CC:DD:01" } = {}): CertificateSeen {
  const [validFrom, validTo] = [from, until].map((days) => new Date(Date.now() + days * dayMs)) as [
    Date,
    Date,
  ];
  return {
    fingerprint: name,
    issuer: "an authority",
    validFrom: validFrom.toISOString(),
    validTo: validTo.toISOString(),
    daysLeft: daysLeft(validTo),
  };
}

/** A Secret that holds this one, and nodes that show it. */
function secret(held: CertificateSeen | undefined, problems: string[] = [], more: Partial<TlsView> = {}) {
  const holds = { value: { ...(held && { certificate: held }), problems } };
  return { secret: "vault-server-tls", madeBy: "stack" as const, holds, ...more };
}
const shown = (by: Record<string, NodeTls> = {}): Record<string, NodeTls> => {
  const well: NodeTls = { speaks: "https", shows: seen() };
  return { "vault-0": well, "vault-1": well, "vault-2": well, ...by };
};
const refused = (problem: "expired" | "of another authority" | "no TLS"): NodeTls => ({
  refused: { problem, words: `its certificate is ${problem}` },
});
const subject = {
  ...evidenceOf().subject,
  target: { ...evidenceOf().subject.target, scheme: "https" },
} as Evidence["subject"];
const find = (change: Partial<Evidence>) => findings(certificate, { subject, ...change });

describe("the doctor's check of Vault's certificate", () => {
  it("finds nothing where every node shows what the Secret holds, with 30 days left", () => {
    assert.deepEqual(find({ tls: secret(seen({ until: 30.5 })), nodeTls: shown() }), []);
  });

  it("finds nothing, and looks at no Secret, where Vault speaks HTTP", () => {
    assert.deepEqual(findings(certificate, {}), []);
  });

  it("finds one that ends soon, with the command that renews it", () => {
    const [found, ...more] = find({ tls: secret(seen({ until: 12.5 })), nodeTls: shown() });
    assert.deepEqual([found?.id, found?.nodes, more], ["certificate-ends-soon", [], []]);
    assert.match(found?.wrong ?? "", /ends in 12 days/);
    assert.match(
      found?.evidence[0]?.answered ?? "",
      /^AA:BB:CC:DD, by an authority, good from \S+ until \S+$/,
    );
    assert.deepEqual(found?.next, ["npm run up"]);
  });

  it("finds one that has expired, since when, and how each source brings another", () => {
    const held = seen({ until: -1 });
    const problems = ["the certificate expired on 2026-01-02"];
    const by = (madeBy: TlsView["madeBy"]) =>
      find({ tls: secret(held, problems, { madeBy }), nodeTls: shown() })[0];
    const found = by("stack");
    assert.deepEqual([found?.id, found?.since], ["certificate-expired", held.validTo]);
    assert.match(found?.evidence[1]?.answered ?? "", /expired on 2026-01-02/);
    assert.deepEqual(found?.next, ["pulumi up --stack dev --refresh --replace '**vault-tls-certificate'"]);
    assert.deepEqual(by("files")?.next, ["pulumi up --stack dev --refresh"]);
    assert.match(by("files")?.means ?? "", /vault\.tls\.certFile, keyFile and caFile/);
    assert.match(by("others")?.next[0] ?? "", /describe secret vault-server-tls$/);
    assert.match(by("others")?.means ?? "", /whoever makes that Secret/);
  });

  it("tells each kind of a Secret that cannot be used", () => {
    const id = (held: CertificateSeen | undefined) =>
      find({ tls: secret(held, ["a reason"]), nodeTls: shown() })[0]?.id;
    assert.equal(id(undefined), "certificate-missing");
    assert.equal(id(seen({ from: 1 })), "certificate-not-yet-valid");
    assert.equal(id(seen()), "certificate-unfit");
  });

  it("says that the Secret was not looked at where that failed, unless Kubernetes as a whole is silent", () => {
    const tls: TlsView = { secret: "vault-server-tls", madeBy: "stack", holds: { failed: "Forbidden" } };
    const all = (kubernetes: Evidence["kubernetes"]) => [
      ...certificate.find(evidenceOf({ subject, tls, kubernetes, nodeTls: shown() })),
    ];
    assert.deepEqual(all(evidenceOf().kubernetes), [{ notLooked: "the Secret vault-server-tls: Forbidden" }]);
    assert.deepEqual(all({ failed: "silent" }), []);
  });

  it("finds a node that shows another certificate than the Secret holds", () => {
    const nodeTls = shown({ "vault-1": { speaks: "https", shows: seen({ name: "00:11:22:33:44" }) } });
    const [found, ...more] = find({ tls: secret(seen()), nodeTls });
    assert.deepEqual([found?.id, found?.nodes, more], ["certificate-other", ["vault-1"], []]);
    assert.match(found?.evidence[0]?.answered ?? "", /^00:11:22:33, /);
    assert.match(found?.evidence[1]?.answered ?? "", /^AA:BB:CC:DD, /);
    assert.equal(found?.next[0], "npm run up");
    const [others] = find({ tls: secret(seen(), [], { madeBy: "others" }), nodeTls });
    assert.match(others?.next.join() ?? "", /^kubectl .* logs vault-1 --container certificate-watch$/);
  });

  it("finds a node that speaks HTTP where the stack says HTTPS, and the reverse", () => {
    const [found] = find({ tls: secret(seen()), nodeTls: shown({ "vault-2": { speaks: "http" } }) });
    assert.deepEqual([found?.id, found?.nodes, found?.next], ["other-scheme", ["vault-2"], ["npm run up"]]);
    assert.match(found?.wrong ?? "", /vault-2 speaks HTTP, and the stack says HTTPS/);
    const [reverse] = findings(certificate, { nodeTls: { "vault-0": { speaks: "https" } } });
    assert.match(reverse?.wrong ?? "", /vault-0 speaks HTTPS, and the stack says HTTP$/);
  });

  it("finds a node whose certificate is not trusted although the Secret's is good: it has to take that up", () => {
    const [found] = find({
      tls: secret(seen()),
      nodeTls: shown({ "vault-1": refused("of another authority") }),
    });
    assert.deepEqual([found?.id, found?.nodes], ["certificate-refused", ["vault-1"]]);
    assert.match(
      found?.evidence[0]?.asked ?? "",
      /as vault-1\.vault-internal, trusting ca\.crt of the Secret/,
    );
    assert.equal(found?.next[0], "npm run up");
    assert.match(found?.next.at(-1) ?? "", /--replace '\*\*vault-tls-certificate'$/);
  });

  it("makes an expired certificate the one root of nodes that cannot be asked", () => {
    const bad = Object.fromEntries(evidenceOf().subject.pods.map((pod) => [pod, refused("expired")]));
    const evidence = evidenceOf({
      subject,
      tls: secret(seen({ until: -1 }), ["the certificate expired on 2026-01-02"]),
      nodeTls: bad,
      vault: Object.fromEntries(evidenceOf().subject.pods.map((pod) => [pod, { failed: "expired" }])),
    });
    const found = [certificate, seal].flatMap((check) => [...check.find(evidence)]);
    const explained = explain(found.flatMap((each) => ("id" in each ? [each] : [])));
    assert.deepEqual(
      explained.map(({ id, nodes, because }) => [id, ...nodes, ...because].join(" ")),
      [
        "certificate-expired",
        ...[0, 1, 2].map((at) => `certificate-refused vault-${at} certificate-expired`),
      ],
    );
  });

  it("makes a Secret that is gone the root of nodes that do not answer", () => {
    const evidence = evidenceOf({
      subject,
      tls: secret(undefined, ["there is no Secret vault-server-tls"]),
      nodeTls: {},
      vault: { "vault-0": { failed: "there is no Secret vault-server-tls" } },
    });
    const found = [certificate, seal].flatMap((check) => [...check.find(evidence)]);
    const explained = explain(found.flatMap((each) => ("id" in each ? [each] : [])));
    assert.deepEqual(
      explained.map(({ id, because }) => [id, ...because].join(" ")),
      ["certificate-missing", "vault-unanswered certificate-missing"],
    );
  });
});
