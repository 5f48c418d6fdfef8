import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { oldestGo } from "../../offline/lib/go-toolchain.ts";
import { readStackFile } from "../../operate/stack-file.ts";
import { versions } from "../../setup/versions.ts";
import { officialSources } from "../../sources.ts";
import { filesOf, proseOf, readDocuments } from "../support/documents.ts";

const read = (path: string) => readFileSync(path, "utf8");
const packageFile = JSON.parse(read("package.json"));
/** The rows of a Markdown table, each as the texts of its cells. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^\| (?!---|:?-)(.*) \|$/gm)].map(([, row = ""]) => row.split(" | "));
const section = (text: string, title: string) => text.split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "";

interface Link {
  from: string;
  /** Path in the checkout. */
  to: string;
  anchor: string | undefined;
}

const pages = readDocuments().filter(({ path }) => path.endsWith(".md"));
const links: Link[] = pages.flatMap((page) =>
  [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    const [path = "", anchor] = target.split("#");
    if (/^\w+:/.test(target)) return [];
    return [
      { from: page.path, to: path === "" ? page.path : normalize(join(dirname(page.path), path)), anchor },
    ];
  }),
);

/** Anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (path: string): string[] =>
  [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

describe("README and docs", () => {
  it("link to files that there are", () => {
    assert.ok(links.length > 50, `${links.length} links were found`);
    const broken = links.filter(({ to }) => !existsSync(to));
    assert.deepEqual(
      broken.map(({ from, to }) => `${from}: ${to}`),
      [],
    );
  });

  it("link to headings that there are", () => {
    const broken = links.filter(
      ({ to, anchor }) => anchor !== undefined && existsSync(to) && !anchorsOf(to).includes(anchor),
    );
    assert.deepEqual(
      broken.map(({ from, to, anchor }) => `${from}: ${to}#${anchor}`),
      [],
    );
    assert.deepEqual(anchorsOf("docs/rehearsals.md").slice(-1), ["what-raftperformancemultiplier-buys"]);
  });

  it("are all reached from README", () => {
    const reached = ["README.md"];
    for (const page of reached)
      for (const { from, to } of links) if (from === page && !reached.includes(to)) reached.push(to);
    assert.deepEqual(
      filesOf("docs/*", "offline/README.md").filter((path) => !reached.includes(path)),
      [],
    );
  });

  it("say of each stack's file what is in it", () => {
    const rows = rowsOf(section(read("README.md"), "Environments")).slice(1);
    assert.deepEqual(
      rows.map(([stack]) => stack),
      ["`dev`", "`ci`", "`prod`"],
    );
    for (const [stack = "", , cluster = "", vault = ""] of rows) {
      const { settings } = readStackFile(stack.replaceAll("`", ""));
      assert.match(vault, new RegExp(`^${settings.vault.replicas} nodes?\\b`), stack);
      assert.equal(/\bTLS\b/.test(vault), settings.vault.tls !== undefined, stack);
      assert.equal(/\bprotected\b/.test(vault), settings.teardown.protected, stack);
      assert.equal(/^kind\b/.test(cluster), settings.cluster.existing === undefined, stack);
    }
  });

  it("name every package with the version that is pinned, and the folders and commands that there are", () => {
    const { dependencies, devDependencies } = packageFile;
    const pinned: Record<string, string> = { ...dependencies, ...devDependencies };
    const named = rowsOf(read("docs/dependencies.md"))
      .slice(1)
      .flatMap(([cell = ""]) => {
        const [, version] = /` ([\d.]+)$/.exec(cell) ?? [];
        const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
        for (const name of names) if (version) assert.equal(pinned[name], version, name);
        return names;
      });
    const isNamed = (name: string) =>
      named.includes(name) || (name.startsWith("@types/") && named.includes("@types/*"));
    assert.deepEqual(
      Object.keys(pinned).filter((name) => !isNamed(name)),
      [],
    );
    assert.deepEqual(
      named.filter((name) => !(name in pinned) && name !== "@types/*"),
      [],
    );

    const design = section(read("docs/design.md"), "Folders");
    const folders = readdirSync(".", { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && filesOf(`${entry.name}/`).length > 0)
      .map(({ name }) => name)
      // The documents themselves, what they link to, and what only a machine reads.
      .filter((name) => !name.startsWith(".") && !["docs", "examples"].includes(name));
    assert.deepEqual(
      folders.filter((name) => !design.includes(`\`${name}/\``)),
      [],
    );
    const commands = readdirSync("commands").map((file) => file.replace(".ts", ""));
    const row = design.split("\n").find((line) => line.includes("`commands/`")) ?? "";
    assert.deepEqual(
      commands.filter((name) => !new RegExp(`\`(npm run )?${name}\``).test(row)),
      [],
    );
    assert.deepEqual(
      commands.filter((name) => !(name in packageFile.scripts)),
      [],
    );
  });

  it("name the versions that are taken", () => {
    const readme = read("README.md");
    assert.ok(readme.includes(`kind ${versions.kind}, kubectl ${versions.kubernetes}`));
    assert.ok(readme.includes(`Node ${packageFile.engines.node.replace(">=", "")} or newer`));
    const go = `Go ${oldestGo.replace(/\.0$/, "")}`;
    for (const path of ["README.md", "offline/README.md"]) assert.ok(read(path).includes(go), path);
    assert.ok(read("docs/ingress.md").includes(`chart, ${officialSources.ingressNginx.version} `));
    const example = read("examples/vault-ha-values.yaml");
    const { version } = officialSources.vault;
    for (const words of [`hashicorp/vault ${version}`, `--version ${version}`])
      assert.ok(example.includes(words));
  });

  it("give the gaps of a rehearsal as they were measured", () => {
    const page = read("docs/rehearsals.md");
    const gaps = new Map(
      [...page.matchAll(/^- at (\d): ([\d, ]+)$/gm)].map(([, at = "", list = ""]) => [
        at,
        list.split(", ").map(Number),
      ]),
    );
    const seconds = (ms = 0) => (Math.round(ms / 100) / 10).toFixed(1);
    for (const [multiplier, ended, least, median, greatest] of rowsOf(page).slice(1, 3)) {
      const list = (gaps.get(multiplier?.[0] ?? "") ?? []).toSorted((a, b) => a - b);
      assert.equal(String(list.length), ended);
      const middle = ((list[9] ?? 0) + (list[10] ?? 0)) / 2;
      assert.deepEqual(
        [least, median, greatest],
        [list[0], middle, list.at(-1)].map((ms) => `${seconds(ms)} s`),
      );
    }
    const [five = [], one = []] = [gaps.get("5"), gaps.get("1")].map((list) => [
      Math.min(...(list ?? [])),
      Math.max(...(list ?? [])),
    ]);
    assert.ok(
      read("README.md").includes(
        `costs ${Math.round((five[0] ?? 0) / 1000)} to ${Math.round((five[1] ?? 0) / 1000)} s without writes, with \`raft.performanceMultiplier\` 1 it is ${seconds(one[0])} to ${seconds(one[1])} s`,
      ),
    );
  });

  it("name everything that the doctor can find, and nothing else", () => {
    const table = section(read("docs/status-and-doctor.md"), "What the doctor finds");
    const named = rowsOf(table)
      .slice(1)
      .flatMap(([ids = ""]) => [...ids.matchAll(/`([a-z-]+)`/g)].map(([, id = ""]) => id));
    const code = filesOf("operate/doctor/*.ts").map(read).join("\n");
    assert.deepEqual(
      named.filter((id) => !code.includes(`"${id}"`)),
      [],
    );
    const found = [...code.matchAll(/\bid: "([a-z-]+)"/g)].map(([, id = ""]) => id);
    assert.ok(found.length > 30, `${found.length} were found`);
    assert.deepEqual(
      found.filter((id) => !named.includes(id)),
      [],
    );
  });
});
