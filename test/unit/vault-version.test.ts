import assert from "node:assert/strict";
import { isOlder, tagOf, versionNumbers } from "../../steps/lib/vault-version.ts";

describe("a version of Vault", () => {
  for (const [text, numbers] of [
    ["1.21.1", [1, 21, 1]],
    ["v1.20.4", [1, 20, 4]],
    ["1.21", [1, 21]],
    ["1.21.1-ent", [1, 21, 1]],
    ["1.21.1+ent.hsm", [1, 21, 1]],
  ] as const)
    it(`is read from ${text}`, () => assert.deepEqual(versionNumbers(text), numbers));

  for (const text of ["latest", "", "sha256:0f1e", "1", "1.x", "release-1.21"])
    it(`is not guessed from "${text}"`, () => assert.equal(versionNumbers(text), undefined));

  it("is older by its numbers, not by its text", () => {
    assert.equal(isOlder("1.9.10", "1.20.4"), true);
    assert.equal(isOlder("1.20.10", "1.20.9"), false);
    assert.equal(isOlder("1.20.4", "2.0.0"), true);
  });

  it("is compared as far as both say it", () => {
    assert.equal(isOlder("1.21", "1.21.1"), false);
    assert.equal(isOlder("1.20", "1.21.1"), true);
    assert.equal(isOlder("1.21.1-ent", "1.21.1"), false);
    assert.equal(isOlder("latest", "1.21.1"), undefined);
  });

  it("of an image is its tag, also behind a registry with a port; a digest says none", () => {
    assert.equal(tagOf("registry:5000/hashicorp/vault:1.21.1"), "1.21.1");
    assert.equal(tagOf("registry:5000/hashicorp/vault"), "");
    assert.equal(tagOf("hashicorp/vault:1.21.1@sha256:0f1e"), "sha256:0f1e");
  });
});
