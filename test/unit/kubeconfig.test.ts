import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeKubeconfig } from "../../setup/kubeconfig.ts";

describe("the kubeconfig of a cluster that exists", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-ha-test-"));
    writeFileSync(join(folder, "ca.pem"), "AUTHORITY");
    put("config", ["one", "two"], { "certificate-authority": "ca.pem" });
    put("other", ["two", "three"], { "certificate-authority-data": "T1RIRVI=" });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A kubeconfig with a cluster and a login for each context, whose current context is another one. */
  const put = (name: string, contexts: string[], trust: object) =>
    writeFileSync(
      join(folder, name),
      stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "one",
        clusters: contexts.map((at) => ({
          name: at,
          cluster: { server: `https://${at}.${name}`, ...trust },
        })),
        users: contexts.map((at) => ({ name: `${at}-login`, user: { token: `token-of-${at}` } })),
        contexts: contexts.map((at) => ({ name: at, context: { cluster: at, user: `${at}-login` } })),
      }),
    );
  const write = (context: string, ...files: string[]) => {
    const stackDir = join(folder, "stack");
    const given = process.env.KUBECONFIG;
    process.env.KUBECONFIG = files.map((file) => join(folder, file)).join(":");
    try {
      const path = writeKubeconfig({ context, kubeconfig: undefined }, stackDir);
      return { path, config: JSON.parse(readFileSync(path, "utf8")) };
    } finally {
      if (given === undefined) delete process.env.KUBECONFIG;
      else process.env.KUBECONFIG = given;
    }
  };

  it("has the context that is named and no other, whichever is the current one, with its files in it", () => {
    const { config } = write("two", "config");
    assert.equal(config["current-context"], "two");
    for (const list of ["contexts", "clusters", "users"]) assert.equal(config[list].length, 1, list);
    const [{ cluster }] = config.clusters;
    assert.equal(cluster.server, "https://two.config");
    assert.equal(Buffer.from(cluster["certificate-authority-data"], "base64").toString(), "AUTHORITY");
    assert.equal(config.users[0].user.token, "token-of-two");
  });

  it("is readable by nobody else", () => {
    assert.equal(statSync(write("one", "config").path).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, "stack")).mode & 0o777, 0o700);
  });

  it("comes from the first of several files that has the context, as with kubectl", () => {
    assert.equal(write("two", "config", "other").config.clusters[0].cluster.server, "https://two.config");
    assert.equal(write("three", "config", "other").config.clusters[0].cluster.server, "https://three.other");
  });

  it("is not written where the context is not there, and those that are there are named", () => {
    rmSync(join(folder, "stack"), { recursive: true, force: true });
    assert.throws(
      () => write("prod", "config", "other"),
      /no context prod \(cluster\.context\) in .*; there are: one, two, two, three\n.*cluster\.context <name>/,
    );
    assert.equal(existsSync(join(folder, "stack", "kubeconfig")), false);
  });

  it("says which file cannot be read", () => {
    const none = { context: "one", kubeconfig: join(folder, "nonesuch") };
    assert.throws(() => writeKubeconfig(none, join(folder, "stack")), /nonesuch cannot be read: ENOENT/);
  });
});
