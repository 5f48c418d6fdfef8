import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { askKeys } from "../../operate/adopt/ask-keys.ts";
import { keysProblem, parseKeys } from "../../operate/adopt/given-keys.ts";

describe("keys that are handed over", () => {
  const printed = { unseal_keys_b64: ["SHARE1", "SHARE2"], unseal_threshold: 2, root_token: "" };
  const secretless = (parts: RegExp) => (error: Error) => {
    assert.match(error.message, parts);
    return !/SHARE|hvs\./.test(error.message) && error.message.endsWith("usage");
  };

  it("are what vault operator init prints, with or without a root token", () => {
    assert.deepEqual(parseKeys(JSON.stringify(printed), "usage"), {
      shares: ["SHARE1", "SHARE2"],
      threshold: 2,
      rootToken: undefined,
    });
    const { rootToken } = parseKeys(JSON.stringify({ ...printed, root_token: "hvs.abc" }), "usage");
    assert.equal(rootToken, "hvs.abc");
  });

  it("are one share a line, in base64 or hexadecimal, and a token where there is one", () => {
    assert.deepEqual(parseKeys("\nab+/cd==\n hvs.CAES_x-y \r\n00ffee\n", "usage"), {
      shares: ["ab+/cd==", "00ffee"],
      threshold: undefined,
      rootToken: "hvs.CAES_x-y",
    });
  });

  it("are refused without a word of them where they are something else", () => {
    const refused: [string, RegExp][] = [
      ["SHARE1\nUnseal Key 2: SHARE2", /line 2 is neither a share nor a token/],
      ["hvs.one\nhvs.two", /2 tokens[\s\S]*no share/],
      ["", /there is no share/],
      ["{ SHARE1", /begins as JSON does, and is none/],
      [JSON.stringify({ ...printed, unseal_threshold: "SHARE1" }), /unseal_threshold: /],
    ];
    for (const [given, words] of refused)
      assert.throws(() => parseKeys(given, "usage"), secretless(words), given);
  });

  it("do not fit where they are too few, the same twice, or say another threshold than Vault", () => {
    const problem = (shares: string[], threshold?: number) =>
      keysProblem({ shares, threshold, rootToken: undefined }, 3);
    assert.match(problem(["a", "b"]) ?? "", /2 shares came .* wants 3/);
    assert.match(problem(["a", "b", "b"]) ?? "", /2 shares came/);
    assert.match(problem(["a", "b", "c"], 2) ?? "", /wants 3 shares to unseal, and .* say 2/);
    assert.equal(problem(["a", "b", "c"], 3), undefined);
  });

  it("are asked for at a terminal, so many as Vault wants, and what is typed is not shown", async () => {
    const typed = new PassThrough();
    let shown = "";
    const asked = askKeys(2, typed, { write: (text) => (shown += text) });
    for (const line of ["SHARE1\r", "\r", "SHARE2\r", "hvs.token\r"]) typed.write(line);
    assert.deepEqual(await asked, {
      shares: ["SHARE1", "SHARE2"],
      threshold: undefined,
      rootToken: "hvs.token",
    });
    assert.match(shown, /Share 1 of 2[\s\S]*Share 2 of 2[\s\S]*Share 2 of 2[\s\S]*Root token/);
    assert.doesNotMatch(shown, /SHARE|hvs/);
  });

  it("are not waited for any longer once somebody leaves", async () => {
    for (const key of ["\u0003", "\u0004"]) {
      const typed = new PassThrough();
      const asked = askKeys(2, typed, { write: () => true });
      typed.write(key);
      await assert.rejects(asked, /Stopped\. Nothing was changed/);
    }
  });
});
