import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { settingsOf } from "../../config.ts";
import { explainedSteps } from "../../operate/explain/steps.ts";
import { explainText, placed } from "../../operate/explain/text.ts";
import { poll } from "../../setup/processes.ts";
import { officialSources } from "../../sources.ts";
import { certificateProblems, serverNames } from "../../steps/lib/certificates.ts";
import { VaultNodes } from "../support/vault-nodes.ts";

describe("what explain prints, typed into a shell", function () {
  this.timeout(60_000);
  let nodes: VaultNodes;
  before(async () => {
    nodes = await VaultNodes.start(3);
  });
  after(async function () {
    await nodes?.end({ failed: this.currentTest?.state === "failed" });
  });

  it("raises three blank nodes to a Vault of three voters", async () => {
    const settings = settingsOf("dev", { "vault-ha:vault.tls.enabled": "false" });
    const text = explainText(
      "dev",
      settings,
      placed(explainedSteps("dev", settings, officialSources), undefined),
    );
    const ran = await execa("bash", ["-euo", "pipefail"], {
      input: text,
      cwd: nodes.folder,
      all: true,
      reject: false,
      env: {
        PATH: `${join(import.meta.dirname, "../support/by-hand-bin")}${delimiter}${process.env.PATH}`,
        // `vault login` writes the token there.
        HOME: nodes.folder,
        VAULT_NODES: JSON.stringify(
          Object.fromEntries(nodes.nodes.map(({ name, address }) => [name, address])),
        ),
      },
    });
    assert.equal(ran.exitCode, 0, ran.all);
    const { root_token } = JSON.parse(await readFile(join(nodes.folder, "cluster-keys.json"), "utf8"));
    const voters = async () => {
      const { data } = await nodes.at(0).get("sys/storage/raft/configuration", root_token);
      const { servers } = (data as { config: { servers: { node_id: string; voter: boolean }[] } }).config;
      return servers.filter(({ voter }) => voter).map(({ node_id }) => node_id);
    };
    await poll(async () => (await voters()).length === 3 || undefined, { forMs: 30_000 });
    assert.deepEqual((await voters()).sort(), ["vault-0", "vault-1", "vault-2"]);
  });

  it("makes a certificate with openssl that this program takes as well", async () => {
    const steps = explainedSteps("dev", settingsOf("dev", {}), officialSources);
    const lines = steps.flatMap(({ byHand }) => byHand).filter((line) => line.startsWith("openssl "));
    assert.equal(lines.length, 2);
    await execa("bash", ["-euo", "pipefail"], { input: lines.join("\n"), cwd: nodes.folder });
    const read = (name: string) => readFile(join(nodes.folder, name), "utf8");
    const made = { cert: await read("tls.crt"), key: await read("tls.key"), caCert: await read("ca.crt") };
    assert.deepEqual(
      certificateProblems(made, serverNames({ namespace: "vault", host: "vault.localhost" })),
      [],
    );
  });
});
