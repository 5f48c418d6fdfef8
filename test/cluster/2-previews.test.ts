import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecondCheckout } from "../support/second-checkout.ts";
import { minutes, pods, sharedStack } from "../support/shared-stack.ts";

/** A base and changed branches, each previewed by the project's own command on a checkout as CI has it. */
describe("a preview of a branch, beside the stack that stands", function () {
  this.timeout(3 * minutes);
  let shared: Awaited<ReturnType<typeof sharedStack>>;
  let branch: SecondCheckout;
  let base: string;
  const settings = () => join(branch.folder, `Pulumi.${shared.test.name}.yaml`);

  before(async () => {
    shared = await sharedStack();
    branch = await SecondCheckout.of(shared.test.name);
    base = readFileSync(settings(), "utf8");
  });
  after(() => branch?.remove());

  /** What a preview prints once a setting is changed, above Pulumi's own diff, and below it. */
  const preview = async (change: (settings: string) => string, ...args: string[]) => {
    writeFileSync(settings(), change(base));
    const { stdout, stderr, exitCode } = await branch.run("preview", "--markdown", ...args);
    shared.keep(stdout + stderr);
    const [head = "", diff = ""] = stdout.split("\n<details><summary>Pulumi's own diff</summary>\n");
    return { head, diff, exitCode, said: stderr };
  };
  const title = (words: string) => [
    `<!-- vault-ha preview of ${shared.test.name} -->`,
    `### Preview of stack ${shared.test.name}: ${words}`,
    "",
  ];

  it("says of the base that nothing changes, also for a check of drift", async () => {
    const { head, exitCode, said } = await preview((same) => same, "--refresh", "--expect-no-changes");
    assert.equal(head, [...title("safe; nothing changes."), ""].join("\n"), said);
    assert.equal(exitCode, 0);
  });

  it("says of a branch that turns TLS on which nodes are restarted, in which order, and what clients do", async () => {
    const leader = await shared.tools.leader();
    const [one, other] = pods.filter((pod) => pod !== leader);
    const { head, diff, exitCode, said } = await preview((text) =>
      text.replace(/vault\.tls\.enabled: "false"/, 'vault.tls.enabled: "true"'),
    );
    const because = "  - because: `vault.tls.enabled: false -> true`";
    assert.equal(
      head,
      [
        ...title("disruptive."),
        `- **disruptive**: A rolling restart, one node at a time, the leader last: ${one}, then ${other}, then ${leader}, which leads and hands over first. 3 unseals; clients see one change of leader. A snapshot is saved first, into .local/stacks/${shared.test.name}/snapshots.`,
        because,
        `- **disruptive**: Vault speaks HTTPS instead of HTTP. Clients have to use https:// with each node that has changed, and to trust .local/stacks/${shared.test.name}/vault-ca.crt.`,
        because,
        "",
      ].join("\n"),
      said,
    );
    assert.match(diff, /tlsDisable: true => false/);
    assert.equal(exitCode, 0);
  });

  it("says of a branch with another port that all data is lost, and that it is refused", async () => {
    const { head, diff, exitCode, said } = await preview((text) =>
      text.replace(/(cluster\.ports\.spare: )"(\d+)"/, '$1"1"'),
    );
    assert.match(head, /### Preview of stack \S+: destructive\./, said);
    assert.match(head, /- \*\*destructive\*\*: The kind cluster is replaced: all of Vault's data is lost/);
    assert.match(head, / {2}- because: `cluster\.ports\.spare: \d+ -> 1`/);
    assert.match(head, /\*\*`npm run up` refuses this, and changes nothing\.\*\*/);
    assert.match(diff, /cluster-create/);
    assert.equal(exitCode, 2);
  });

  it("says of a branch with wrong settings what is wrong, as the program says it", async () => {
    const { head, exitCode } = await preview((text) =>
      text.replace("config:\n", 'config:\n  vault-ha:vault.replicas: "2"\n'),
    );
    assert.match(
      head,
      /: could not be made\.\n[\s\S]*vault\.replicas: "2" does not fit; it takes 1, 3, 5 or 7/,
    );
    assert.equal(exitCode, 3);
  });
});
