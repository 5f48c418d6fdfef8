import assert from "node:assert/strict";
import {
  CustomResource,
  type CustomResourceOptions,
  type Inputs,
  type Output,
  runtime,
  secret,
} from "@pulumi/pulumi";
import { RandomId, RandomPassword, RandomPet, RandomString, RandomUuid } from "@pulumi/random";
import { errorsOf, outputsOf, pathsOf, step } from "./support/events.ts";
import { makeStack, makeWorld, official, type Run, type TestStack, type World } from "./support/world.ts";

// Each fact was read in hashicorp/terraform-provider-random, which the official plug-in wraps: internal/provider/
// resource_string.go, resource_id.go, resource_uuid.go (inputs, defaults, what replaces, results), internal/random/
// string.go (the character sets), internal/planmodifiers (keepers, overrideSpecial, number and numeric).

const special = "!@#$%&*()-_=+[]{}<>:?";

/** Any resource of any inputs, which the SDK's types would not let pass. */
class Untyped extends CustomResource {
  constructor(type: string, name: string, inputs: Inputs, options: CustomResourceOptions = {}) {
    super(type, name, inputs, { version: "4.21.2", ...options });
  }
}

describe("random plug-in", function () {
  this.timeout(300_000);
  let world: World;
  let stack: TestStack;
  let planned: Run;
  let first: Run;
  let firstState: string;
  let preview: Run;
  let second: Run;

  /** Two versions of the program: in the second, what is to be replaced or to stay is written otherwise. */
  const program = (version: 1 | 2) => async () => {
    const outputs: Record<string, Output<unknown>> = {};
    const pick = <T>(one: T, two: T) => (version === 1 ? one : two);
    const text = (name: string, args: ConstructorParameters<typeof RandomString>[1], options = {}) => {
      const made = new RandomString(name, args, options);
      outputs[name] = made.result;
      outputs[`${name}Id`] = made.id;
      return made;
    };
    const defaults = text("defaults", { length: 400 });
    outputs.defaultsInputs = defaults.special.apply((value) => value);
    outputs.defaultsNumeric = defaults.numeric;
    outputs.defaultsMinLower = defaults.minLower;
    text("letters", { length: 200, special: false, numeric: false, upper: false });
    text("number", { length: 200, special: false, number: false });
    text("own", { length: 50, overrideSpecial: "é_", lower: false, upper: false, numeric: false });
    text("minimum", { length: 10, minLower: 2, minUpper: 2, minNumeric: 3, minSpecial: 3 });
    text("hidden", { length: 20 }, { additionalSecretOutputs: ["result"] });

    text("same", { length: 12, keepers: { a: "1" } });
    text("writtenOut", pick({ length: 12 }, { length: 12, special: true, minUpper: 0, numeric: true }));
    text("nullKeeper", pick({ length: 12 }, { length: 12, keepers: {} }));
    text("kept", { length: 12, keepers: pick({ a: "1", b: "1" }, { a: "1", b: "2" }) });
    text("keeperGoes", { length: 12, keepers: pick<Record<string, string>>({ a: "1", b: "1" }, { a: "1" }) });
    text("secretKeeper", { length: 12, keepers: { token: secret(pick("hvs.one", "hvs.two")) } });
    text("longer", { length: pick(12, 13) });
    text("otherClass", pick({ length: 12 }, { length: 12, special: false }));

    const id = (name: string, args: ConstructorParameters<typeof RandomId>[1]) => {
      const made = new RandomId(name, args);
      for (const key of ["id", "hex", "dec", "b64Std", "b64Url"] as const)
        outputs[`${name}.${key}`] = made[key];
      return made;
    };
    id("id", { byteLength: 9 });
    id("prefixed", { byteLength: 4, prefix: "p-" });
    const source = id("idKept", { byteLength: 4, keepers: { a: pick("1", "2") } });
    id("follows", { byteLength: 4, keepers: { source: source.hex } });
    const uuid = new RandomUuid("uuid", { keepers: { a: "1" } });
    Object.assign(outputs, { uuid: uuid.result, uuidId: uuid.id });
    return outputs;
  };
  const out = (name: string, run = first) => String(run.outputs[name]);

  before(async () => {
    world = await makeWorld();
    stack = await makeStack(world, "random");
    planned = await stack.preview(program(1));
    first = await stack.up(program(1));
    firstState = await stack.stateFile();
    preview = await stack.preview(program(2));
    second = await stack.up(program(2));
  });
  after(() => world.stop());

  it("draws from all four classes by default, and says so in its state", () => {
    assert.equal(out("defaults").length, 400);
    for (const one of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/]) assert.match(out("defaults"), one);
    const others = out("defaults").replaceAll(/[a-zA-Z0-9]/g, "");
    assert.ok(
      Array.from(others).every((character) => special.includes(character)),
      others,
    );
    assert.equal(first.outputs.defaultsInputs, true);
    assert.equal(first.outputs.defaultsNumeric, true);
    assert.equal(first.outputs.defaultsMinLower, 0);
  });

  it("draws from the wanted classes only, by the old name of numeric too", () => {
    assert.match(out("letters"), /^[a-z]{200}$/);
    assert.match(out("number"), /^[a-zA-Z]{200}$/);
    assert.match(out("own"), /^[é_]{50}$/);
  });

  it("holds the least number of each class", () => {
    const count = (class_: RegExp) => out("minimum").match(class_)?.length;
    assert.deepEqual(
      [count(/[a-z]/g), count(/[A-Z]/g), count(/[0-9]/g), count(/[^a-zA-Z0-9]/g)],
      [2, 2, 3, 3],
    );
  });

  it("has the result as its id", () => {
    assert.equal(out("defaultsId"), out("defaults"));
  });

  it("draws anew for each resource", () => {
    assert.notEqual(out("same"), out("kept"));
    assert.notEqual(out("id.hex"), out("follows.hex"));
  });

  it("gives one number in all forms", () => {
    const bytes = Buffer.from(out("id.hex"), "hex");
    assert.equal(bytes.length, 9);
    assert.equal(out("id.b64Std"), bytes.toString("base64"));
    assert.equal(out("id.b64Url"), bytes.toString("base64url"));
    assert.equal(out("id.id"), bytes.toString("base64url"));
    assert.equal(out("id.dec"), BigInt(`0x${out("id.hex")}`).toString());
  });

  it("puts the prefix before every form but the id", () => {
    assert.match(out("prefixed.hex"), /^p-[0-9a-f]{8}$/);
    assert.match(out("prefixed.dec"), /^p-\d{1,10}$/);
    assert.equal(out("prefixed.b64Url"), `p-${out("prefixed.id")}`);
    assert.ok(out("prefixed.b64Std").startsWith("p-"));
  });

  it("gives a uuid", () => {
    assert.match(out("uuid"), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(out("uuidId"), out("uuid"));
  });

  it("draws nothing in a preview", () => {
    assert.equal(step(planned, "same").op, "create");
    assert.equal(outputsOf(planned, "same").result, runtime.unknownValue);
    assert.equal(outputsOf(planned, "id").hex, runtime.unknownValue);
  });

  it("keeps a result and a keeper that are secret out of the state file's clear text", () => {
    assert.ok(first.secretOutputs.includes("hidden"));
    assert.ok(!first.secretOutputs.includes("defaults"));
    assert.doesNotMatch(firstState, /hvs\.one/);
    const resources: { urn: string; outputs: Inputs }[] = JSON.parse(firstState).checkpoint.latest.resources;
    const hidden = resources.find(({ urn }) => urn.endsWith("::hidden"));
    assert.equal(typeof hidden?.outputs.result, "object");
  });

  it("keeps what it drew as long as no input changes", () => {
    for (const name of ["defaults", "same", "uuid", "id.hex", "prefixed.dec", "minimum"]) {
      assert.equal(out(name, second), out(name), name);
    }
    assert.equal(step(preview, "same").op, "same");
  });

  it("sees no change in a default that is written out, nor in keepers without an element", () => {
    assert.equal(step(preview, "writtenOut").op, "same");
    assert.equal(out("writtenOut", second), out("writtenOut"));
    assert.notEqual(step(preview, "nullKeeper").op, "replace");
    assert.equal(out("nullKeeper", second), out("nullKeeper"));
  });

  it("replaces when a keeper changes or goes", () => {
    for (const name of ["kept", "keeperGoes", "secretKeeper", "idKept"]) {
      assert.equal(step(preview, name).op, "replace", name);
      assert.deepEqual(step(preview, name).diffs, ["keepers"], name);
    }
    assert.deepEqual(Object.values(pathsOf(step(preview, "kept"))), ["update-replace"]);
    assert.notEqual(out("kept", second), out("kept"));
    assert.notEqual(out("idKept.hex", second), out("idKept.hex"));
  });

  it("replaces when another input changes", () => {
    assert.deepEqual(pathsOf(step(preview, "longer")), { length: "update-replace" });
    assert.equal(out("longer", second).length, 13);
    assert.equal(step(preview, "otherClass").op, "replace");
    assert.match(out("otherClass", second), /^[a-zA-Z0-9]{12}$/);
  });

  it("replaces what keeps the result of something that is replaced", () => {
    assert.equal(step(preview, "follows").op, "replace");
    assert.notEqual(out("follows.hex", second), out("follows.hex"));
  });

  it("refuses a length that is less than what must be in it", async () => {
    const refused = await stack.failingPreview(async () => {
      new RandomString("short", { length: 3, minLower: 2, minUpper: 2 });
    });
    assert.match(errorsOf(refused, "short"), /at least sum of/);
  });

  if (official) return; // The rest is promised by the project's own plug-in only.

  it("refuses all that is wrong with its inputs at once", async () => {
    const refused = await stack.failingPreview(async () => {
      new Untyped("random:index/randomString:RandomString", "wrong", {
        length: "many",
        upper: "no",
        lenght: 3,
      });
    });
    const text = errorsOf(refused, "wrong");
    for (const what of [
      /Unrecognized field 'lenght'/,
      /'length'.*expected number/,
      /'upper'.*expected boolean/,
    ]) {
      assert.match(text, what);
    }
  });

  for (const [kind, make] of [
    ["RandomPet", () => new RandomPet("unsupported")],
    ["RandomPassword", () => new RandomPassword("unsupported", { length: 8 })],
  ] as const) {
    it(`refuses ${kind} by name, and says how to get the official plug-in`, async () => {
      const refused = await stack.failingPreview(async () => void make());
      assert.match(
        errorsOf(refused, "unsupported"),
        new RegExp(`${kind} is not supported by the random plug-in`),
      );
      assert.match(errorsOf(refused, "unsupported"), /pulumi plugin install resource random 4\.21\.2/);
    });
  }
});
