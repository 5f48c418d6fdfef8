import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { marker } from "../../operate/preview/markdown.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, string>;
}

interface Job {
  permissions?: Record<string, string>;
  strategy?: { matrix: { stack: string[] } };
  environment?: string;
  steps: Step[];
}

interface Workflow {
  on: unknown;
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

const folder = ".github/workflows";
const texts = Object.fromEntries(
  readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]),
);
const workflows = Object.entries(texts).map(([file, text]) => ({ file, text, ...(parse(text) as Workflow) }));
const jobs = workflows.flatMap(({ file, jobs }) =>
  Object.entries(jobs).map(([name, job]) => ({ title: `${file}: ${name}`, file, name, job })),
);
const steps = jobs.flatMap(({ title, job }) => job.steps.map((step) => ({ title, step })));
const scripts = JSON.parse(readFileSync("package.json", "utf8")).scripts as Record<string, string>;

/** What each job may do, and no more. */
const permissions: Record<string, Record<string, string>> = {
  "preview.yml: preview": { contents: "read", "pull-requests": "write" },
  "preview.yml: fork": {},
  "up.yml: up": { contents: "read" },
  "drift.yml: drift": { contents: "read" },
  "test.yml: test": { contents: "read" },
};

const helps = new Map<string, Promise<string>>();
const helpOf = (command: string): Promise<string> => {
  const help =
    helps.get(command) ??
    execa(process.execPath, [`commands/${command}.ts`, "--help"]).then(({ stdout }) => stdout);
  helps.set(command, help);
  return help;
};

describe("the workflows", () => {
  it("are those for previews, updates, drift and tests", () => {
    assert.deepEqual(Object.keys(texts).sort(), ["drift.yml", "preview.yml", "test.yml", "up.yml"]);
  });

  it("pin every action by its commit, and say its tag", () => {
    const pins = workflows.flatMap(({ text }) =>
      text.split("\n").filter((line) => /^\s*(- )?uses:/.test(line)),
    );
    assert.ok(pins.length > 0);
    for (const line of pins) assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    assert.equal(pins.length, steps.filter(({ step }) => step.uses !== undefined).length);
    const byTag = new Map(
      pins.map((line) => [line.replace(/@\w+/, "").trim().replace(/^- /, ""), /@(\w+)/.exec(line)?.[1]]),
    );
    for (const line of pins)
      assert.equal(
        byTag.get(line.replace(/@\w+/, "").trim().replace(/^- /, "")),
        /@(\w+)/.exec(line)?.[1],
        line,
      );
  });

  it("have no permission but what each job needs", () => {
    for (const { file, permissions } of workflows) assert.deepEqual(permissions, {}, file);
    assert.deepEqual(Object.fromEntries(jobs.map(({ title, job }) => [title, job.permissions])), permissions);
  });

  it("never run a stranger's code with secrets, and leave no token in the checkout", () => {
    for (const { text, file } of workflows)
      assert.doesNotMatch(text.replaceAll(/#.*$/gm, ""), /pull_request_target|workflow_run/, file);
    for (const { step, title } of steps.filter(({ step }) => step.uses?.startsWith("actions/checkout")))
      assert.equal(step.with?.["persist-credentials"], false, title);
    assert.doesNotMatch(texts["test.yml"] ?? "", /secrets\./);
    const { on, jobs } = workflows.find(({ file }) => file === "preview.yml") ?? assert.fail();
    assert.equal(on, "pull_request");
    const own = "github.event.pull_request.head.repo.full_name == github.repository";
    assert.equal((jobs.preview as Job & { if: string }).if, own);
  });

  it("give secrets to the steps that need them, and to nothing else", () => {
    for (const { jobs, ...rest } of workflows.map(({ file: _, text: __, ...workflow }) => workflow)) {
      assert.doesNotMatch(JSON.stringify(rest), /secrets\./);
      for (const { steps, ...job } of Object.values(jobs)) {
        assert.doesNotMatch(JSON.stringify(job), /secrets\./);
        for (const { uses, run, ...step } of steps) {
          const given = [...JSON.stringify(step).matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
          const wanted = run?.includes("--stack") ? ["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"] : [];
          // The kubeconfig becomes a file that its owner alone reads.
          const isFile = uses?.startsWith("actions/github-script@") && JSON.stringify(step).includes("0o600");
          assert.deepEqual(given, isFile ? ["KUBECONFIG"] : wanted, run ?? uses);
        }
      }
    }
  });

  it("ask for an approval before an update, and for a second environment before a preview", () => {
    const environments = Object.fromEntries(jobs.map(({ title, job }) => [title, job.environment]));
    assert.match(environments["up.yml: up"] ?? "", /^\$\{\{ matrix\.stack \}\}$/);
    assert.match(environments["preview.yml: preview"] ?? "", /^\$\{\{ matrix\.stack \}\}-preview$/);
  });

  it("name stacks whose files are here", () => {
    for (const { job, title } of jobs)
      for (const stack of job.strategy?.matrix.stack ?? [])
        assert.ok(existsSync(`Pulumi.${stack}.yaml`), `${title}: ${stack}`);
  });

  it("install the Pulumi CLI in the version of the SDK", () => {
    const wanted = JSON.parse(readFileSync("package.json", "utf8")).dependencies["@pulumi/pulumi"];
    const installs = steps.filter(({ step }) => step.uses?.startsWith("pulumi/actions"));
    assert.deepEqual(
      installs.map(({ step }) => step.with),
      installs.map(() => ({ "pulumi-version": wanted })),
    );
    assert.equal(installs.length, 3);
  });

  it("run the project's own commands alone, with flags that they take", async function () {
    // Each command is asked for its flags.
    this.timeout(60_000);
    const lines = steps.flatMap(({ title, step }) =>
      step.run === undefined ? [] : [{ title, line: step.run }],
    );
    assert.ok(lines.length >= 7);
    for (const { title, line } of lines) {
      const [, word = "", args = ""] =
        /^npm (?:run (?:-s )?)?([a-z]+)(?: -- ((?:--[a-z-]+(?: (?:\$\{\{ matrix\.stack \}\}))? ?)+))?(?:>>? (?:preview\.md|"\$GITHUB_STEP_SUMMARY"))?$/.exec(
          line,
        ) ?? assert.fail(`${title}: ${line}`);
      assert.equal(scripts[word], `node bin/start.mjs ${word}`, `${title}: ${line}`);
      const help = await helpOf(word);
      for (const [flag] of args.matchAll(/--[a-z-]+/g))
        assert.match(help, new RegExp(`^ +${flag}( |$)`, "m"), `${title}: ${flag}`);
    }
  });

  it("find the comment again by the mark that the command puts into it", () => {
    const [begin, end] = marker("STACK").split("STACK");
    const mark = new RegExp(`\`${begin}\\$\\{process\\.env\\.STACK\\}${end}\``);
    assert.match(texts["preview.yml"] ?? "", mark);
  });
});
