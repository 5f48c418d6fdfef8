import assert from "node:assert/strict";
import { isOlder, versionOf } from "../../steps/lib/version.ts";

describe("a version of Vault", () => {
  it("is what has three numbers, and nothing else", () => {
    assert.deepEqual(versionOf("1.21.1"), [1, 21, 1]);
    assert.deepEqual(versionOf("v2.0.3-ent"), [2, 0, 3]);
    for (const text of ["latest", "1.21", "sha256:abc", "", "1.21.x"])
      assert.equal(versionOf(text), undefined);
  });

  it("is older by its numbers, not by its letters", () => {
    assert.ok(isOlder("1.9.10", "1.10.0"));
    assert.ok(isOlder("1.21.1", "2.0.0"));
    assert.ok(isOlder("1.21.0", "1.21.1"));
    for (const [one, other] of [
      ["1.21.1", "1.21.1"],
      ["2.0.0", "1.21.9"],
      ["1.10.0", "1.9.10"],
      ["latest", "1.0.0"],
    ] as const)
      assert.ok(!isOlder(one, other), `${one} is not older than ${other}`);
  });

  it("is not older by a patch where those store alike", () => {
    assert.ok(!isOlder("1.21.0", "1.21.1", { patches: false }));
    assert.ok(isOlder("1.20.9", "1.21.0", { patches: false }));
  });
});
