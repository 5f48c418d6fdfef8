import assert from "node:assert/strict";
import { join } from "node:path";
import { local } from "@pulumi/command";
import { secret } from "@pulumi/pulumi";
import { stringify } from "yaml";
import { toldBy } from "./support/events.ts";
import { checkout, makeStack, makeWorld, type Run, type World } from "./support/world.ts";

const token = "hvs.CAESIJ1-x_2345678901234567890";
const pack = [join(checkout, "policy")];

/** What the engine was told of violations: `level rule resource`. */
const violations = (run: Run) =>
  run.events
    .flatMap(({ policyEvent }) => policyEvent ?? [])
    .map((event) => `${event.enforcementLevel} ${event.policyName} ${event.resourceUrn?.split("::").at(-1)}`)
    .sort();

describe("the policy pack, through the real engine", function () {
  this.timeout(120_000);
  let world: World;
  before(async () => {
    world = await makeWorld();
  });
  after(() => world.stop());

  /** The step that makes a kind cluster, as the program declares it. */
  const cluster = (listenAddress: string) => {
    const config = stringify({ nodes: [{ extraPortMappings: [{ containerPort: 80, listenAddress }] }] });
    return new local.Command("cluster-create", { stdin: secret(JSON.stringify({ config, token })) });
  };
  const everywhere = async () => {
    cluster("0.0.0.0");
  };
  const leaking = async () => {
    cluster("127.0.0.1");
    new local.Command("step", { environment: { TOKEN: token } });
    return { kept: secret(token), alsoKept: { deep: [secret(token)] }, plain: token };
  };

  it("lets a preview fail in a stack that is not dev, with what mends it", async () => {
    const run = await (await makeStack(world, "ci")).failingPreview(everywhere, pack);
    assert.deepEqual(violations(run), ["mandatory this-machine cluster-create"]);
    assert.match(run.text, /ports 80 are mapped on 0\.0\.0\.0 /);
    assert.match(run.text, /pulumi config set cluster\.listenAddress 127\.0\.0\.1 --stack ci/);
  });

  it("only says the same in dev", async () => {
    const run = await (await makeStack(world, "dev")).preview(everywhere, pack);
    assert.deepEqual(violations(run), ["advisory this-machine cluster-create"]);
    assert.match(run.text, /pulumi config set cluster\.listenAddress 127\.0\.0\.1 --stack dev/);
  });

  it("tells plain outputs from secret ones, of a resource and of the stack, and repeats no token", async () => {
    const run = await (await makeStack(world, "plain")).failingPreview(leaking, pack);
    assert.deepEqual(violations(run), [
      "mandatory key-material conformance-plain",
      "mandatory key-material step",
    ]);
    assert.match(run.text, /The output environment\.TOKEN looks like a token of Vault's/);
    assert.match(run.text, /The output plain looks like a token of Vault's/);
    const said = run.events.flatMap(({ policyEvent }) => policyEvent ?? []);
    assert.ok(!JSON.stringify(said).includes(token));
  });

  it("finds nothing where there is nothing, and says so", async () => {
    const stack = await makeStack(world, "clean");
    const program = async () => {
      cluster("127.0.0.1");
      return { kept: secret(token) };
    };
    const run = await stack.preview(program, pack);
    assert.deepEqual(violations(run), []);
    assert.match(run.text, /Policies:[\s\S]*vault-ha@v\d/);
    assert.ok(!toldBy(run).includes(token));
  });
});
