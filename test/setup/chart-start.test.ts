import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { buildRenderer, render } from "../support/chart.ts";

describe("The Vault chart of the closed network starts Vault", function () {
  this.timeout(20_000);
  before(buildRenderer);

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vault-start-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the container's command with its paths in a folder, and a Vault that shows what it was given. */
  async function start(config: string, env: Record<string, string>, changes: Record<string, unknown> = {}) {
    const statefulSet = (await render(changes)).find(({ kind }) => kind === "StatefulSet");
    const { command, args } = statefulSet.spec.template.spec.containers[0];
    writeFileSync(join(folder, "extraconfig-from-values.hcl"), config);
    const entry = join(folder, "entry.sh");
    writeFileSync(entry, `#!/bin/sh\necho "$@"\ncat ${folder}/storageconfig.hcl\n`);
    chmodSync(entry, 0o755);
    const script = (args[0] as string)
      .replaceAll("/vault/config/", `${folder}/`)
      .replaceAll("/tmp/storageconfig.hcl", `${folder}/storageconfig.hcl`)
      .replaceAll("/usr/local/bin/docker-entrypoint.sh", entry);
    const { stdout } = await execa(command[0], [...command.slice(1), script], {
      env: { PATH: process.env.PATH, ...env },
      extendEnv: false,
    });
    return stdout.replaceAll(folder, "");
  }

  it("with the configuration, in which what only the pod knows is filled in", async () => {
    const config = 'api_addr = "http://POD_IP:8200"\nnode = "HOSTNAME"\naddress = "TRANSIT_ADDR"';
    assert.equal(
      await start(config, { POD_IP: "10.0.0.7", HOSTNAME: "vault-1" }),
      'vault server -config=/storageconfig.hcl\napi_addr = "http://10.0.0.7:8200"\nnode = "vault-1"\naddress = "TRANSIT_ADDR"',
    );
  });

  it("with further arguments", async () => {
    assert.match(
      await start("", {}, { "server.extraArgs": "-log-level=trace -exit-on-core-shutdown" }),
      /^vault server -config=\/storageconfig\.hcl -log-level=trace -exit-on-core-shutdown$/m,
    );
  });
});
