import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { checkout } from "../../setup/folders.ts";
import { loadSources } from "../../sources.ts";
import { asOfAnyStack, sortCode } from "../support/code-kinds.ts";
import { readDocuments } from "../support/documents.ts";
import { freePorts } from "../support/free-ports.ts";
import { itWhere } from "../support/left-out.ts";
import { minutes, pods, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";
import { seenThrough } from "../support/tls-client.ts";
import { forStack, type Printed, plainEnvironment, type } from "../support/typed.ts";

type Shared = Awaited<ReturnType<typeof sharedStack>>;
type Expect = (printed: Printed, shared: Shared) => void;

const nothing: Expect = ({ stdout }) => assert.equal(stdout, "");
const unsealed: Expect = ({ stdout }) => assert.equal(JSON.parse(stdout).sealed, false);
const has =
  (...words: RegExp[]): Expect =>
  ({ stdout }) => {
    for (const word of words) assert.match(stdout, word);
  };
const podsRun = pods.map((pod) => new RegExp(`^${pod} +1/1 +Running`, "m"));

/** Commands of the documents in the order in which one shell types them, and what each has to print. */
const expected: Record<string, Expect> = {
  'eval "$(npm run -s env)"': nothing,
  "pulumi stack output rootToken --show-secrets": ({ stdout }, shared) =>
    assert.ok(stdout === shared.keys().rootToken, "it is not the root token"),
  "pulumi stack output shares --show-secrets": ({ stdout }, shared) =>
    assert.ok(JSON.stringify(JSON.parse(stdout)) === JSON.stringify(shared.keys().shares), "other shares"),
  "curl http://localhost:30000/v1/sys/health": unsealed,
  "curl http://whoami.localhost:8080": has(/^Hostname: whoami-/m),
  "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault get pods": has(...podsRun),
  "pulumi preview": has(/Resources:\n +\d+ unchanged$/),
  "pulumi preview --policy-pack policy": has(/Policies:\n +✅ vault-ha@/),
  "npm run preview": has(/^Preview of stack \S+: safe; nothing changes\.$/m),
  "npm run status": has(/^ +vault-0 +all steps,.* ready, .* voter, healthy/m),
  "npm run status -- --json": has(/"verdict": "healthy"/, /"disagreements": \[\]/),
  "npm run doctor": has(/^Looked at:/m, /: nothing was found\.$/m),
  "npm run -s doctor -- --json | jq --raw-output '.findings[] | select(.because == []) | .id'": nothing,
  "npm run explain": has(/^# 1\. a Kubernetes cluster/m, /vault operator init/),
  "export VAULT_ADDR=$(pulumi stack output vaultAddress)": nothing,
  "export VAULT_CACERT=$(pulumi stack output vaultAuthorityFile)": nothing,
  'curl --cacert "$VAULT_CACERT" "$VAULT_ADDR/v1/sys/health"': unsealed,
  "curl --cacert .local/stacks/<stack>/vault-ca.crt https://vault.localhost:8443/v1/sys/health": unsealed,
  // Only a closed network's node image is called so.
  "docker image ls vault-ha/node":
    loadSources().images === "closed" ? has(/^vault-ha\/node\b/m) : ({ code }) => assert.equal(code, 0),
  "node offline/build.ts --list": has(/^vault-[0-9a-f]{12}: /m, /^node-image-/m),
  "kubectl config get-contexts": has(/^\* +kind-vault-ha-\S+-test-/m),
  "kubectl get storageclasses": has(/^standard \(default\)/m),
  "pulumi up --refresh": has(/Resources:\n +\d+ unchanged\n/),
};
const forward =
  "kubectl --kubeconfig .local/stacks/<stack>/kubeconfig --namespace vault port-forward service/vault 8200:8200";
const rehearsal = "npm run rehearse failover -- --pod delete";
const prepare = 'eval "$(npm run -s env)"';
const needsJq = (command: string) => command.includes("| jq ");

describe("the commands of README and docs, typed into a shell", function () {
  this.timeout(5 * minutes);
  let shared: Shared;
  let env: NodeJS.ProcessEnv;
  const documented = new Set(
    readDocuments().flatMap((document) => sortCode(document).commands.map(({ text }) => asOfAnyStack(text))),
  );
  const typed: Record<string, Printed> = {};

  before(async () => {
    shared = await sharedStack();
    env = {
      ...plainEnvironment(),
      // The documents speak of dev, which has no authority to be named.
      CURL_CA_BUNDLE: join(shared.test.stackDir, "vault-ca.crt"),
      // On a cluster that exists it is the user's.
      KUBECONFIG: join(shared.test.stackDir, "kubeconfig"),
      // pulumi asks only who sits at a terminal.
      PULUMI_SKIP_CONFIRMATIONS: "true",
    };
    const commands = Object.keys(expected);
    const printed = await type(
      commands.map((command) => forStack(command, shared.test)),
      env,
    );
    commands.forEach((command, at) => {
      typed[command] = printed[at] as Printed;
    });
  });

  for (const [command, expect] of Object.entries(expected)) {
    const title = `${command}${needsJq(command) ? " (with jq)" : ""}`;
    (needsJq(command) ? itWhere("(with jq)") : it)(title, () => {
      assert.ok(documented.has(command), "it is in no document any more");
      const { code, stderr } = typed[command] as Printed;
      assert.equal(code, 0, stderr);
      expect(typed[command] as Printed, shared);
    });
  }

  it("pulumi config set and pulumi config rm, every one of them, and what they change is put back", async () => {
    const lines = (verb: string) =>
      [...documented].filter((line) => line.startsWith(`pulumi config ${verb} `) && !line.includes("<"));
    const [set, removed] = [lines("set"), lines("rm")];
    assert.ok(set.length > 5 && removed.length > 0, `${set.length} and ${removed.length} were found`);
    const file = join(checkout, `Pulumi.${shared.test.name}.yaml`);
    const before = readFileSync(file, "utf8");
    const config = () => (parse(readFileSync(file, "utf8")) as { config: Record<string, string> }).config;
    const keyOf = (line: string) => `vault-ha:${line.split(" ")[3]}`;
    const typeAll = async (changes: string[]) => {
      const printed = await type([prepare, ...changes.map((line) => forStack(line, shared.test))], env);
      for (const [at, { code, stderr }] of printed.entries())
        assert.equal(code, 0, `${[prepare, ...changes][at]}: ${stderr}`);
    };
    try {
      await typeAll(set);
      // Where two documents set the same one, the last counts.
      const typedValue = (line: string) =>
        line
          .split(" ")
          .slice(4)
          .join(" ")
          .replace(/^"(.*)"$/, "$1");
      const wanted = Object.fromEntries(set.map((line) => [keyOf(line), typedValue(line)]));
      const now = config();
      for (const [key, value] of Object.entries(wanted)) assert.equal(String(now[key]), value, key);
      await typeAll(removed);
      for (const line of removed) assert.equal(keyOf(line) in config(), false, line);
    } finally {
      writeFileSync(file, before);
    }
  });

  it(`${forward}, and Vault answers there`, async () => {
    assert.ok(documented.has(forward), "it is in no document any more");
    const [port = 0] = await freePorts(1);
    const [line = ""] = [forStack(forward, shared.test).replace("8200:", `${port}:`)];
    const running = execa("bash", ["-c", `${prepare}; exec ${line}`], { cwd: checkout, env, reject: false });
    try {
      await Promise.race([once(running.stdout, "data"), running]);
      const path = "/v1/sys/health?standbyok=true";
      const { status } = await seenThrough({ port, host: "localhost", path, ca: shared.authority() });
      assert.equal(status, 200);
    } finally {
      running.kill();
      await running;
    }
  });

  it(rehearsal, async () => {
    assert.ok(documented.has(rehearsal), "it is in no document any more");
    const [, rehearsed] = await type([prepare, forStack(rehearsal, shared.test)], env);
    assert.equal(rehearsed?.code, 0, rehearsed?.stderr);
    assert.match(rehearsed?.stdout ?? "", /^Nothing was lost: each of \d+ acknowledged writes/m);
    for (const name of readdirSync(shared.test.stackDir))
      if (/^rehearsal-.*\.svg$/.test(name)) rmSync(join(shared.test.stackDir, name));
  });

  it("leave a stack that the next update finds as it has to be", async () => {
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.deepEqual(await proposals(shared.test.stack), []);
  });
});
