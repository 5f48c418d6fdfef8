import assert from "node:assert/strict";
import { cronJobSpec } from "../../components/backup-job.ts";
import { readSettings, type Settings } from "../../config.ts";
import { type BackupView, backupView, nextBackup, overdue } from "../../operate/backup/view.ts";
import { checks } from "../../operate/doctor/checks.ts";
import { backupDisagreements } from "../../operate/status/backup-disagreements.ts";
import { statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import { neededRights } from "../../setup/rights.ts";
import type { Kube } from "../../steps/lib/kube.ts";
import { evidenceOf } from "../support/evidence.ts";
import { change, judged } from "../support/plans.ts";
import { runProgram } from "../support/program.ts";

const schedule = "0 */6 * * *";
const settingsWith = (given: Record<string, string>): Settings => {
  const { settings, problems } = readSettings(given);
  assert.ok(settings, problems.join("\n"));
  return settings;
};
const scheduled = (more: Record<string, string> = {}) => {
  const settings = settingsWith({ "backup.schedule": schedule, ...more });
  assert.ok(settings.backup);
  return { ...settings, backup: settings.backup };
};
const values = {
  global: { imagePullSecrets: ["registry"] },
  server: { image: { repository: "hashicorp/vault", tag: "1.21.1" } },
};
const record = {
  version: 1 as const,
  stack: "dev",
  savedAt: "2026-03-01T06:00:04Z",
  index: 1234,
  term: 3,
  size: 9,
  sha256: "ab",
};

describe("a schedule of snapshots", () => {
  it("is none unless set, and then the other settings are of no matter", () => {
    assert.equal(settingsWith({}).backup, undefined);
    assert.equal(settingsWith({ "backup.keep": "3" }).backup, undefined);
    assert.deepEqual(scheduled({ "backup.keep": "3" }).backup, {
      schedule,
      keep: 3,
      size: "10Gi",
      bucket: undefined,
    });
  });

  for (const wrong of [
    "daily",
    "@daily",
    "60 * * * *",
    "0 0 31 2 *",
    "0 0 L * *",
    "0 0 * * 1#2",
    "0 0 0 * * *",
    "* * *",
  ])
    it(`is refused where Kubernetes would refuse it, or it never comes: ${wrong}`, () => {
      const { problems } = readSettings({
        "backup.schedule": wrong,
        "backup.keep": "0",
        "backup.size": "much",
      });
      assert.deepEqual(
        problems.map((each) => each.split(":")[0]),
        ["backup.schedule", "backup.keep", "backup.size"],
      );
    });

  it("declares a login, an account, a volume that outlives the schedule, and the CronJob, after Vault is proved", async () => {
    const resources = await runProgram({ config: { "backup.schedule": schedule } });
    const login = resources.get("lifecycle-backup-login");
    assert.equal(login?.inputs.create, "exec node steps/backup-login.ts");
    assert.equal(login?.inputs.delete, "exec node steps/backup-logout.ts");
    assert.ok(login?.dependsOn.includes("lifecycle-verify"));
    const cronJob = resources.get("vault-backup-cronjob");
    for (const before of ["lifecycle-backup-login", "vault-backup-account", "vault-backup-volume"])
      assert.ok(cronJob?.dependsOn.includes(before), before);
    const none = await runProgram();
    assert.ok(![...none.keys()].some((name) => name.includes("backup")));
  });
});

describe("the pod that saves a snapshot", () => {
  const spec = (more: Record<string, string> = {}, scheme: "http" | "https" = "https") =>
    cronJobSpec({
      stack: "dev",
      settings: scheduled(more),
      scheme,
      values,
      rcloneImage: "rclone/rclone:1.75.1",
    });
  const podOf = (more?: Record<string, string>, scheme?: "http" | "https") =>
    spec(more, scheme).jobTemplate.spec.template.spec;
  const envOf = (pod: ReturnType<typeof podOf>) =>
    Object.fromEntries(pod.containers.flatMap(({ env }) => env.map(({ name, value }) => [name, value])));

  it("is alone at its work, and is made up for where the cluster stood still", () => {
    const { concurrencyPolicy, startingDeadlineSeconds, timeZone } = spec();
    assert.deepEqual(
      { concurrencyPolicy, startingDeadlineSeconds, timeZone },
      {
        concurrencyPolicy: "Forbid",
        startingDeadlineSeconds: 3600,
        timeZone: "Etc/UTC",
      },
    );
  });

  it("has no right on its node, and no token but one for this login", () => {
    const pod = podOf();
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.securityContext.runAsNonRoot, true);
    const [container] = pod.containers;
    assert.deepEqual(container?.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const tokens = JSON.stringify(pod.volumes).match(/serviceAccountToken/g);
    assert.equal(tokens?.length, 1);
    assert.match(JSON.stringify(pod.volumes), /"audience":"vault-ha-backup"/);
  });

  it("asks the node that leads, and trusts its authority without being given the key", () => {
    const pod = podOf({ "vault.namespace": "safe" });
    assert.equal(envOf(pod).VAULT_ADDR, "https://vault-active.safe.svc:8200");
    assert.equal(envOf(pod).VAULT_CACERT, "/vault-tls/ca.crt");
    const tls = pod.volumes.find(({ name }) => name === "tls");
    assert.deepEqual(tls, {
      name: "tls",
      secret: { secretName: "vault-server-tls", items: [{ key: "ca.crt", path: "ca.crt" }] },
    });
    const plain = podOf({ "vault.tls.enabled": "false" }, "http");
    assert.equal(envOf(plain).VAULT_CACERT, undefined);
    assert.ok(!plain.volumes.some(({ name }) => name === "tls"));
  });

  it("is of Vault's own image, pulled as Vault's is", () => {
    const pod = podOf();
    assert.equal(pod.containers[0]?.image, "hashicorp/vault:1.21.1");
    assert.deepEqual("imagePullSecrets" in pod && pod.imagePullSecrets, [{ name: "registry" }]);
  });
});

describe("the rights on a cluster that exists", () => {
  it("are those of the CronJob and its volume only where there is a schedule", () => {
    const found = { namespaceStands: true, delegates: true };
    const named = (settings: Settings) =>
      neededRights(settings, found).namespace.filter(({ resources }) =>
        ["cronjobs", "jobs"].includes(resources[0]),
      );
    assert.deepEqual(named(settingsWith({})), []);
    assert.deepEqual(
      named(scheduled()).map(({ resources }) => resources[0]),
      ["cronjobs", "jobs"],
    );
  });
});

/** A Kubernetes API that has these objects. */
const kubeWith = (objects: Record<string, object>) =>
  ({
    get: async (path: string, schema: { parse(value: unknown): unknown }) => {
      const object = objects[path.split("?")[0]?.split("/").slice(-2).join("/") ?? ""];
      return object && schema.parse(object);
    },
  }) as unknown as Kube;
const cronJob = (status: object = {}, env: object[] = []) => ({
  metadata: { creationTimestamp: "2026-02-01T00:00:00Z" },
  spec: { schedule, jobTemplate: { spec: { template: { spec: { containers: [{ env }] } } } } },
  status,
});
const podOf = (job: string, terminated: object) => ({
  metadata: { labels: { "job-name": job } },
  status: { containerStatuses: [{ state: { terminated } }] },
});
const good = podOf("b1", {
  exitCode: 0,
  message: JSON.stringify({
    file: "a.snap",
    record,
    kept: [
      ["a.snap", 9],
      ["b.snap", 8],
    ],
  }),
});
const look = (objects: Record<string, object>) => backupView(kubeWith(objects), "vault", AbortSignal.any([]));

describe("what the cluster knows of scheduled snapshots", () => {
  it("is nothing where there is no CronJob", async () => {
    assert.equal(await look({}), undefined);
  });

  it("is the last good one, as its pod has told, and what is kept", async () => {
    const view = await look({
      "cronjobs/vault-backup": cronJob({ lastSuccessfulTime: "2026-03-01T06:00:09Z" }),
      "vault/pods": { items: [good] },
    });
    assert.equal(view?.lastGoodAt, "2026-03-01T06:00:09Z");
    assert.equal(view?.good?.record.index, 1234);
    assert.deepEqual(view?.good?.kept, [
      { file: "a.snap", size: 9 },
      { file: "b.snap", size: 8 },
    ]);
    assert.equal(view?.failed, undefined);
  });

  it("is why the last one failed, in the words of its pod, until one is good again", async () => {
    const jobs = (at: string) => ({
      items: [
        {
          metadata: { name: "b2" },
          status: {
            conditions: [
              {
                type: "Failed",
                status: "True",
                message: "Job has reached the specified backoff limit",
                lastTransitionTime: at,
              },
            ],
          },
        },
      ],
    });
    const objects = {
      "cronjobs/vault-backup": cronJob({ lastSuccessfulTime: "2026-03-01T06:00:09Z" }),
      "vault/pods": {
        items: [good, podOf("b2", { exitCode: 2, message: "Code: 403. permission denied\n" })],
      },
    };
    const failed = await look({ ...objects, "vault/jobs": jobs("2026-03-01T12:00:09Z") });
    assert.match(failed?.failed?.why ?? "", /backoff limit\nCode: 403\. permission denied$/);
    const before = await look({ ...objects, "vault/jobs": jobs("2026-03-01T00:00:09Z") });
    assert.equal(before?.failed, undefined);
  });
});

describe("the age of scheduled snapshots", () => {
  const view: BackupView = {
    schedule,
    suspended: false,
    since: "2026-02-01T00:00:00Z",
    lastGoodAt: "2026-03-01T06:00:09Z",
  };
  const at = (time: string) => new Date(`2026-03-01T${time}Z`);

  it("is no matter until two periods have gone by", () => {
    assert.equal(overdue(view, at("17:59:59")), false);
    assert.equal(overdue(view, at("18:00:01")), true);
    assert.equal(nextBackup(view, at("07:00:00"))?.toISOString(), "2026-03-01T12:00:00.000Z");
  });

  it("is counted from the begin of the schedule where none was good yet", () => {
    const { lastGoodAt: _, ...none } = view;
    assert.equal(overdue(none, new Date("2026-02-01T11:59:59Z")), false);
    assert.equal(overdue(none, new Date("2026-02-01T12:00:01Z")), true);
  });

  it("makes a stack degraded where it is too high, and the doctor names the reason", () => {
    const failed = { at: "2026-03-01T12:00:09Z", job: "vault-backup-1", why: "no space left on device" };
    const evidence = evidenceOf({ backup: { value: { ...view, failed } } });
    const status = statusOf(evidence.subject, evidence);
    assert.equal(status.verdict, "degraded");
    assert.deepEqual(
      status.disagreements.map(({ id }) => id),
      ["backup-overdue"],
    );
    const found = checks.flatMap((check) => [...check.find(evidence)]);
    assert.equal(found.length, 1);
    assert.match(JSON.stringify(found), /backup-overdue.*no space left on device.*logs job\/vault-backup-1/);
  });

  it("is told by status, with what is kept and when the next one is due", () => {
    const lastGoodAt = new Date(Date.now() - 3 * 3_600_000).toISOString();
    const { savedAt: _, ...rest } = record;
    const known = {
      file: "a.snap",
      record: { ...rest, savedAt: lastGoodAt },
      kept: [{ file: "a.snap", size: 9 }],
    };
    const evidence = evidenceOf({ backup: { value: { ...view, lastGoodAt, good: known } } });
    const status = statusOf(evidence.subject, evidence);
    assert.equal(status.verdict, "healthy");
    assert.match(
      statusText(status),
      /backup: last good 3 h ago \(raft index 1234\), next at \d{4}-\d\d-\d\dT\d\d:00Z; 1 kept in the cluster/,
    );
  });

  it("is asked for where the CronJob is gone, is suspended, or does not answer", () => {
    const now = at("07:00:00");
    const { subject } = evidenceOf();
    const ids = (backup: Parameters<typeof backupDisagreements>[1]["backup"]) =>
      backupDisagreements(subject, { backup }, now).map(({ id }) => id);
    assert.deepEqual(ids(undefined), []);
    assert.deepEqual(ids({ value: view }), []);
    assert.deepEqual(ids({ value: null }), ["backup-gone"]);
    assert.deepEqual(ids({ value: { ...view, suspended: true } }), ["backup-suspended"]);
    assert.deepEqual(ids({ failed: "forbidden" }), ["backup-unanswered"]);
  });
});

describe("a preview", () => {
  const parts = ["lifecycle-backup-login", "vault-backup-account", "vault-backup-cronjob"];
  const volume = (op: "create" | "delete" | "replace", retained = true) =>
    change(op, "vault-backup-volume", { type: "kubernetes:core/v1:PersistentVolumeClaim", retained });

  it("lets a schedule begin and end, and says that what was saved stays", () => {
    const ends = judged({
      changes: [
        ...parts.map((name) =>
          change("delete", name, { before: { delete: "exec node steps/backup-logout.ts" } }),
        ),
        volume("delete"),
      ],
    });
    assert.equal(ends.verdict, "safe");
    assert.match(ends.consequences[0]?.says ?? "", /no snapshot is saved.*What was saved stays/i);
    const begins = judged({ changes: [...parts.map((name) => change("create", name)), volume("create")] });
    assert.equal(begins.verdict, "safe");
  });

  it("does not let go of the snapshots themselves", () => {
    for (const op of ["replace", "delete"] as const) {
      const { goesOn, verdict } = judged({ changes: [volume(op, false)] });
      assert.equal(verdict, "destructive");
      assert.equal(goesOn, false);
    }
  });
});
