import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { snapshotFolder } from "../../steps/lib/snapshot-record.ts";
import { type Key, S3Server } from "../support/s3-server.ts";
import { eventually, minutes, sharedStack } from "../support/shared-stack.ts";
import { proposals } from "../support/test-stack.ts";

const bucket = "snapshots";
const settings: Record<string, string> = {
  "backup.schedule": "17 3 1 1 *",
  "backup.keep": "1",
  "backup.bucket.name": bucket,
  "backup.bucket.insecure": "true",
  "backup.bucket.secretName": "bucket-key",
};

describe("snapshots in a bucket, on a real cluster", function () {
  this.timeout(5 * minutes);
  let folder: string;
  let server: S3Server;

  before(async function () {
    // Where the server is not built yet.
    this.timeout(10 * minutes);
    const shared = await sharedStack();
    folder = await mkdtemp(join(tmpdir(), "vault-ha-bucket-"));
    const format = "{{range .IPAM.Config}}{{.Gateway}}{{end}}";
    const names = (await execa("docker", ["network", "ls", "--format", "{{.Name}}"])).stdout.split("\n");
    const network = names.find((name) => name.startsWith(`vault-ha-${shared.test.name}`)) ?? "";
    const { stdout: gateway } = await execa("docker", ["network", "inspect", network, "--format", format]);
    server = await S3Server.start(folder, gateway);
    await server.makeBucket(bucket);
  });
  after(async () => {
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
    // Its keys would outlive the stack, whose end is to leave nothing.
    rmSync(snapshotFolder((await sharedStack()).test.stackDir), { recursive: true, force: true });
  });

  /** Writes the Secret as docs/backup.md has it made. */
  async function writeKey({ id, secret }: Key): Promise<void> {
    const { tools } = await sharedStack();
    const file = join(folder, "bucket.env");
    writeFileSync(file, `AWS_ACCESS_KEY_ID=${id}\nAWS_SECRET_ACCESS_KEY=${secret}\n`, { mode: 0o600 });
    await tools.kubectl("delete", "secret", "bucket-key", "--ignore-not-found");
    await tools.kubectl("create", "secret", "generic", "bucket-key", "--from-env-file", file);
  }

  /** Runs the job at once; the last line that its bringing container says. */
  async function run(job: string): Promise<string> {
    const { tools, keep } = await sharedStack();
    await tools.kubectl("create", "job", job, "--from", "cronjob/vault-backup");
    await eventually(async () => {
      const status = await tools.kubectl(
        "get",
        "job",
        job,
        "--output",
        "jsonpath={.status.conditions[*].type}",
      );
      return /Complete|Failed/.test(status);
    }, `the end of the job ${job}`);
    const said = await tools.kubectl("logs", `job/${job}`, "--all-containers");
    keep(said);
    return said;
  }

  it("fail with a wrong key, and the doctor says so and what to type", async () => {
    const shared = await sharedStack();
    await shared.test.stack.removeConfig("backup.size");
    for (const [key, value] of Object.entries({ ...settings, "backup.bucket.endpoint": server.endpoint }))
      await shared.test.stack.setConfig(key, { value });
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.match(up.all, /to the bucket snapshots/);
    await writeKey({ ...server.root, secret: "wrong" });
    await run("wrong-key");
    const doctor = await shared.command("doctor");
    assert.match(
      doctor.all,
      /the last scheduled snapshot failed: .* does not take the key in the Secret bucket-key/,
    );
    assert.match(doctor.all, /create secret generic bucket-key --from-env-file/);
    assert.deepEqual(await server.objects(bucket), []);
  });

  it("come there and are kept up to a number, and status tells of the last good one", async () => {
    const shared = await sharedStack();
    await writeKey(server.root);
    assert.match(await run("first"), /saved .* to s3:\/\/snapshots\/.*, and read it back/);
    const [first = ""] = await server.objects(bucket);
    await run("second");
    const objects = await server.objects(bucket);
    assert.equal(objects.length, 2, objects.join());
    assert.ok(!objects.includes(first), objects.join());
    assert.match(
      (await shared.command("status")).stdout,
      /backup: last good 0 min ago \(raft index \d+\), next at .*; 1 kept in s3:\/\/snapshots\/vault-ha\//,
    );
  });

  it("are listed from the bucket, and come to this machine whole, with no pod left behind", async () => {
    const shared = await sharedStack();
    const listed = (await shared.command("snapshot", "list")).stdout;
    const name = /In s3:.*\n.*\n\s*(\S+\.snap)/.exec(listed)?.[1] ?? assert.fail(listed);
    const fetched = await shared.command("snapshot", "fetch", name, "--json");
    assert.equal(fetched.exitCode, 0, fetched.all);
    const inspected = await shared.command("snapshot", "inspect", JSON.parse(fetched.stdout).file);
    assert.match(inspected.stdout, /checksums +right, and sealed by Vault/);
    assert.doesNotMatch(await shared.tools.kubectl("get", "pods", "--output", "name"), /fetch/);

    rmSync(JSON.parse(fetched.stdout).file);
    const object = (await server.objects(bucket)).find((each) => each.endsWith(name)) ?? "";
    const whole = readFileSync(server.path(bucket, object));
    writeFileSync(server.path(bucket, object), whole.subarray(0, whole.length / 2));
    const cut = await shared.command("snapshot", "fetch", name);
    assert.equal(cut.exitCode, 1, cut.all);
    assert.match(cut.all, /not a whole snapshot|cut|unexpected end/i);
    const left = readdirSync(snapshotFolder(shared.test.stackDir)).filter((each) => each.startsWith(name));
    assert.deepEqual(
      left.filter((each) => !each.endsWith(".json")),
      [],
    );
    writeFileSync(server.path(bucket, object), whole);
    assert.equal((await shared.command("snapshot", "fetch", name)).exitCode, 0);
  });

  it("leave the account what others have written to it, and the next preview empty", async () => {
    const shared = await sharedStack();
    const role = "eks.amazonaws.com/role-arn=arn:aws:iam::1:role/backup";
    await shared.tools.kubectl("annotate", "serviceaccount", "vault-backup", role);
    assert.deepEqual(await proposals(shared.test.stack), []);
    await shared.test.stack.setConfig("backup.keep", { value: "2" });
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    const account = await shared.tools.kubectl("get", "serviceaccount", "vault-backup", "--output", "yaml");
    assert.match(account, /role-arn: arn:aws:iam::1:role\/backup/);
  });

  it("give way to the volume again, and stay in the bucket", async () => {
    const shared = await sharedStack();
    for (const key of ["insecure", "secretName", "endpoint", "name"])
      await shared.test.stack.removeConfig(`backup.bucket.${key}`);
    await shared.test.stack.setConfig("backup.size", { value: "2Gi" });
    const grown = await shared.command("up");
    assert.equal(grown.exitCode, 1, grown.all);
    assert.match(grown.all, /storageclass that provisions the pvc must support resize/);
    await shared.test.stack.setConfig("backup.size", { value: "1Gi" });
    const up = await shared.command("up");
    assert.equal(up.exitCode, 0, up.all);
    assert.deepEqual(await proposals(shared.test.stack), []);
    assert.match(await run("volume"), /saved .*\.snap/);
    assert.equal((await server.objects(bucket)).length, 2);
    for (const key of ["backup.schedule", "backup.keep"]) await shared.test.stack.removeConfig(key);
    assert.equal((await shared.command("up")).exitCode, 0);
  });
});
