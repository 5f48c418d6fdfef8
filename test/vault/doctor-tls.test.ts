import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Diagnosis, diagnose } from "../../operate/doctor/diagnosis.ts";
import { gatherEvidence } from "../../operate/doctor/evidence/gather.ts";
import { poll } from "../../setup/processes.ts";
import { type Certificate, certificates } from "../support/certificates.ts";
import { stateOf, subjectOf } from "../support/subject.ts";
import { insideOf, surroundingsOf } from "../support/surroundings.ts";
import { VaultStack } from "../support/vault-stack.ts";

describe("the doctor, at real Vault nodes with TLS", function () {
  this.timeout(90_000);
  let stack: VaultStack;
  /** It does not carry the name of vault-1. */
  let wrong: Certificate;

  before(async () => {
    const both = "vault-0.vault-internal,vault-1.vault-internal";
    const { again, caCert, cert, key } = await certificates(both, "vault-0.vault-internal");
    const tls = { caCert, cert, key };
    wrong = again;
    stack = await VaultStack.start(2, { tls });
    assert.equal((await stack.init()).code, 0);
    assert.equal((await stack.unseal("vault-0")).code, 0);
    await writeFile(join(stack.nodes.folder, "ca.pem"), tls.caCert);
  });
  after(async function () {
    await stack?.end(this);
  });

  it("finds that a certificate does not carry a node's name, and that this is why it cannot be asked", async () => {
    const inside = insideOf(stack, { caFile: join(stack.nodes.folder, "ca.pem") });
    const subject = subjectOf(stack, { resources: stateOf(["vault-0"]) });
    const look = async () => diagnose(await gatherEvidence(subject, surroundingsOf(stack, { inside })));
    const outcomes = ({ findings }: Diagnosis) =>
      findings.filter(({ id }) => /^peer-|^certificate-|unanswered/.test(id));
    assert.deepEqual(outcomes(await look()), []);
    await stack.nodes.at(1).serve(wrong);
    const refused = async () => {
      const { findings } = await look();
      return findings.some(({ id }) => id === "peer-tls-refused") ? findings : undefined;
    };
    const findings = (await poll(refused, { forMs: 20_000 })) ?? [];
    const tls = findings.find(({ id }) => id === "peer-tls-refused");
    assert.deepEqual(tls?.nodes, ["vault-0", "vault-1"]);
    assert.match(
      tls?.evidence[0]?.asked ?? "",
      /vault status .* -tls-server-name=vault-1\.vault-internal, in vault-0/,
    );
    assert.match(
      tls?.evidence[0]?.answered ?? "",
      /x509: certificate is valid for vault-0\.vault-internal, not vault-1\.vault-internal/,
    );
    assert.match(tls?.next[0] ?? "", /openssl s_client -connect 127.0.0.1:\d+ -servername .*subjectAltName/);
    assert.deepEqual(tls?.because, ["certificate-refused vault-1"]);
    const [first] = findings;
    assert.equal(first?.id, "certificate-refused");
    assert.match(
      first?.evidence[0]?.answered ?? "",
      /its certificate is not for vault-1\.vault-internal; it is for DNS:vault-0\.vault-internal$/,
    );
    assert.deepEqual(
      findings.filter(({ id }) => id === "vault-unanswered"),
      [],
    );
  });
});
