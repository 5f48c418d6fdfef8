import assert from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import fc from "fast-check";
import { goQuote } from "../../offline/plugins/command/go-quote.ts";
import { lines } from "../../offline/plugins/command/lines.ts";
import { changesBetween, rootOf } from "../../offline/plugins/lib/diff.ts";
import { messageFor } from "../../offline/plugins/lib/message.ts";
import {
  equal,
  isSecret,
  isUnknown,
  plain,
  UNKNOWN,
  unknown,
  type Value,
  type Values,
} from "../../offline/plugins/lib/value.ts";

const secret = (value: Value): Value => ({ [runtime.specialSigKey]: runtime.specialSecretSig, value });
const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<Values>;

describe("the plug-ins' shared parts", () => {
  it("know secrets and unknowns by the SDK's own signatures", () => {
    assert.ok(isSecret(secret("x")));
    assert.equal(unknown, runtime.unknownValue);
    assert.ok(isUnknown(secret(runtime.unknownValue)));
    assert.deepEqual(plain({ a: [secret({ b: secret("c") }), runtime.unknownValue] }), {
      a: [{ b: "c" }, UNKNOWN],
    });
  });

  it("find no change between equal values, and some between others", () => {
    fc.assert(fc.property(values, (one) => changesBetween(one, structuredClone(one)).size === 0));
    fc.assert(
      fc.property(
        values,
        values,
        (one, other) => (changesBetween(one, other).size === 0) === equal(one, other),
      ),
    );
  });

  it("find the same paths in both directions, with add and delete exchanged", () => {
    const turned = { add: "delete", delete: "add", update: "update" } as const;
    fc.assert(
      fc.property(values, values, (one, other) => {
        const there = [...changesBetween(one, other)].sort();
        const back = [...changesBetween(other, one)].map(([path, change]) => [path, turned[change]]).sort();
        assert.deepEqual(there, back);
      }),
    );
  });

  it("take a value that turns secret for changed, and two equal secrets for the same", () => {
    assert.deepEqual([...changesBetween({ a: "x" }, { a: secret("x") })], [["a", "update"]]);
    assert.equal(changesBetween({ a: secret(["x"]) }, { a: secret(["x"]) }).size, 0);
  });

  it("name the property in which a path lies", () => {
    assert.equal(rootOf("triggers[0].a"), "triggers");
    assert.equal(rootOf('environment["A.B"]'), "environment");
    assert.equal(rootOf('["a.b"].c'), "a.b");
  });

  it("quote a text as Go does", () => {
    // From the documentation and tests of Go's strconv.Quote.
    assert.equal(goQuote('\x07\b\f\r\n\t\v"\\'), '"\\a\\b\\f\\r\\n\\t\\v\\"\\\\"');
    assert.equal(goQuote("abc\x00def\x7f"), '"abc\\x00def\\x7f"');
    assert.equal(goQuote("☺ \u00a0 \u{10fffd}"), '"☺ \\u00a0 \\U0010fffd"');
    assert.equal(goQuote("it's $HOME"), `"it's $HOME"`);
  });

  it("cut a stream into lines wherever its parts end, also within a character", () => {
    const text = "one\r\ntwo ☺\n\nlast";
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const got: string[] = [];
      const cutter = lines((line) => got.push(line));
      cutter.write(bytes.subarray(0, cut));
      cutter.write(bytes.subarray(cut));
      cutter.end();
      assert.deepEqual(got, ["one", "two ☺", "", "last"], `cut at ${cut}`);
    }
  });

  it("shorten a message to what an HTTP/2 header holds, and keep its beginning and end", () => {
    for (const text of ["☺".repeat(2_000_000), "x".repeat(20_000_000)]) {
      const message = messageFor(new Error(`begin${text}end`));
      assert.ok(encodeURI(message).length <= 15 * 1024 * 1024);
      assert.match(message, /^begin.*characters left out.*end$/s);
    }
    assert.equal(messageFor(new Error("short")), "short");
  });
});
