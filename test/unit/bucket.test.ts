import assert from "node:assert/strict";
import { cronJobSpec } from "../../components/backup-job.ts";
import { readSettings } from "../../config.ts";
import { type BackupView, backupView, goodRecord } from "../../operate/backup/view.ts";
import { checks } from "../../operate/doctor/checks.ts";
import { backupsText } from "../../operate/snapshot/text.ts";
import { statusOf } from "../../operate/status/status.ts";
import { statusText } from "../../operate/status/text.ts";
import { neededRights } from "../../setup/rights.ts";
import { bucketOf } from "../../steps/lib/backup-bucket.ts";
import type { Kube } from "../../steps/lib/kube.ts";
import { evidenceOf } from "../support/evidence.ts";
import { change, judged } from "../support/plans.ts";
import { runProgram } from "../support/program.ts";

const given = {
  "backup.schedule": "0 */6 * * *",
  "backup.bucket.name": "snapshots",
  "backup.bucket.endpoint": "https://s3.example.com",
  "backup.bucket.secretName": "bucket-key",
};
const place = {
  name: "snapshots",
  folder: "vault-ha/dev",
  endpoint: "https://s3.example.com",
  secretName: "bucket-key",
};
const problemsOf = (settings: Record<string, string>) =>
  readSettings(settings).problems.map((problem) => problem.split(":")[0]);

/** The job's pod, with these settings. */
function podOf(settings: Record<string, string> = given) {
  const read = readSettings(settings);
  assert.ok(read.settings?.backup, read.problems.join("\n"));
  const spec = cronJobSpec({
    stack: "dev",
    settings: { ...read.settings, backup: read.settings.backup },
    scheme: "https",
    values: { server: { image: { repository: "hashicorp/vault", tag: "1.21.1" } } },
    rcloneImage: "rclone/rclone:1.75.1",
  });
  return spec.jobTemplate.spec.template.spec;
}
const envOf = (container: { env: { name: string; value?: string }[] } | undefined) =>
  Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));

describe("a bucket for scheduled snapshots", () => {
  it("takes the place of the volume, and each setting that does nothing then is named, all at once", () => {
    assert.deepEqual(problemsOf({ ...given, "backup.size": "1Gi" }), ["backup.size"]);
    const { "backup.bucket.name": _, ...nameless } = given;
    assert.deepEqual(problemsOf({ ...nameless, "backup.bucket.region": "eu-central-1" }), [
      "backup.bucket.endpoint",
      "backup.bucket.region",
      "backup.bucket.secretName",
    ]);
    const { "backup.schedule": __, ...unscheduled } = nameless;
    assert.deepEqual(problemsOf(unscheduled), []);
  });

  it("is refused where its name, address or path is none, and over plain HTTP unless it is meant", () => {
    const wrong = {
      "backup.bucket.name": "My_Bucket",
      "backup.bucket.endpoint": "https://key:secret@s3.example.com/path",
      "backup.bucket.region": "EU Central",
      "backup.bucket.prefix": "/vault/",
      "backup.bucket.secretName": "Bucket Key",
      "backup.bucket.insecure": "yes",
      "backup.bucket.pathStyle": "host",
    };
    assert.deepEqual(problemsOf({ ...given, ...wrong }).sort(), Object.keys(wrong).sort());
    const plain = { ...given, "backup.bucket.endpoint": "http://10.0.0.1:9000" };
    assert.match(
      readSettings(plain).problems.join(),
      /^backup\.bucket\.endpoint: http:\/\/10\.0\.0\.1:9000 is not encrypted.*\n.*https:\/\/10\.0\.0\.1:9000\n.*insecure true$/,
    );
    assert.deepEqual(problemsOf({ ...plain, "backup.bucket.insecure": "true" }), []);
  });

  it("is a part of the path where it is not Amazon's, unless the stack says otherwise", () => {
    const style = (more: Record<string, string>) => {
      const { settings, problems } = readSettings({ ...given, ...more });
      assert.deepEqual(problems, []);
      return settings?.backup?.bucket?.pathStyle;
    };
    assert.equal(style({}), true);
    assert.equal(style({ "backup.bucket.pathStyle": "false" }), false);
    const { "backup.bucket.endpoint": _, ...amazon } = given;
    assert.equal(readSettings(amazon).settings?.backup?.bucket?.pathStyle, false);
  });

  it("is declared without a volume, and noted by the login's step", async () => {
    const resources = await runProgram({ config: given });
    assert.ok(!resources.has("vault-backup-volume"));
    assert.ok(resources.get("vault-backup-cronjob")?.dependsOn.includes("vault-backup-account"));
    const stdin = JSON.stringify(resources.get("lifecycle-backup-login")?.inputs.stdin);
    assert.match(stdin, /s3:\/\/snapshots\/vault-ha\/mocked/);
  });

  it("wants no right to make a volume on a cluster that exists", () => {
    const verbs = (settings: Record<string, string>) => {
      const read = readSettings(settings).settings;
      assert.ok(read);
      const { namespace } = neededRights(read, { namespaceStands: true, delegates: true });
      return namespace.find(({ resources }) => resources[0] === "persistentvolumeclaims")?.verbs;
    };
    assert.ok(!verbs(given)?.includes("create"));
    assert.ok(verbs({ "backup.schedule": "0 0 * * *" })?.includes("create"));
  });
});

describe("the pod that brings a snapshot to a bucket", () => {
  it("has its key from the Secret alone, and none in the container that logs in to Vault", () => {
    const { containers, ...pod } = podOf();
    const [bring] = containers;
    const [save] = "initContainers" in pod ? pod.initContainers : [];
    assert.deepEqual([save?.image, bring?.image], ["hashicorp/vault:1.21.1", "rclone/rclone:1.75.1"]);
    const secret = (key: string) => ({
      name: key,
      valueFrom: { secretKeyRef: { name: "bucket-key", key, optional: true } },
    });
    const keys = (bring?.env ?? []).filter(({ name }) => name.startsWith("AWS_"));
    assert.deepEqual(keys, [secret("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY")]);
    assert.ok(!JSON.stringify(save).includes("bucket-key"));
    assert.deepEqual(
      bring?.volumeMounts.map(({ name }) => name),
      ["backups", "tmp"],
    );
    assert.deepEqual(bring?.securityContext, save?.securityContext);
    assert.equal(envOf(save).KEEP, "1");
    assert.equal(envOf(bring).KEEP, "14");
  });

  it("takes the identity of its service account where no Secret is named, of Amazon's own S3", () => {
    const { "backup.bucket.secretName": _, "backup.bucket.endpoint": __, ...amazon } = given;
    const env = envOf(podOf(amazon).containers[0]);
    assert.ok(!Object.keys(env).some((name) => name.startsWith("AWS_")));
    assert.equal(env.RCLONE_S3_PROVIDER, "AWS");
    assert.equal(env.RCLONE_S3_ENV_AUTH, "true");
    assert.equal(env.RCLONE_S3_FORCE_PATH_STYLE, "false");
  });

  it("keeps a snapshot on the way in a folder that is no larger than Vault's own store", () => {
    const { volumes } = podOf({ ...given, "vault.storageSize": "3Gi" });
    assert.deepEqual(volumes[0], { name: "backups", emptyDir: { sizeLimit: "3Gi" } });
  });

  it("says where its snapshots go to whoever looks at it", () => {
    assert.deepEqual(bucketOf(podOf().containers[0]?.env ?? []), place);
    assert.equal(bucketOf(podOf({ "backup.schedule": "0 0 * * *" }).containers[0]?.env ?? []), undefined);
  });
});

const record = {
  ...{ version: 1 as const, stack: "dev", clusterId: "c1", savedAt: "2026-03-01T06:00:04Z" },
  ...{ index: 1234, term: 3, size: 9, sha256: "ab" },
};
const view: BackupView = {
  schedule: given["backup.schedule"],
  suspended: false,
  since: "2026-02-01T00:00:00Z",
  bucket: place,
};

describe("what is known of snapshots in a bucket", () => {
  /** As Kubernetes has it after a job has failed with these statuses of its pod. */
  const look = (statuses: object) => {
    const failed = {
      type: "Failed",
      status: "True",
      message: "backoff limit",
      lastTransitionTime: "2026-03-01T12:00:09Z",
    };
    const objects: Record<string, object> = {
      "cronjobs/vault-backup": {
        metadata: { creationTimestamp: view.since },
        spec: {
          schedule: view.schedule,
          jobTemplate: { spec: { template: { spec: { containers: [podOf().containers[0]] } } } },
        },
      },
      "vault/jobs": { items: [{ metadata: { name: "b2" }, status: { conditions: [failed] } }] },
      "vault/pods": { items: [{ metadata: { labels: { "job-name": "b2" } }, status: statuses }] },
    };
    const kube = {
      get: async (path: string, schema: { parse(value: unknown): unknown }) =>
        schema.parse(objects[path.split("?")[0]?.split("/").slice(-2).join("/") ?? ""]),
    };
    return backupView(kube as unknown as Kube, "vault", AbortSignal.any([]));
  };
  const ended = (exitCode: number, message: string) => [{ state: { terminated: { exitCode, message } } }];

  it("is which bucket, and whether a job failed before it or on the way to it", async () => {
    const atVault = await look({
      initContainerStatuses: ended(2, "dial tcp 10.0.0.1:8200: connection refused"),
      containerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
    });
    assert.deepEqual(atVault?.bucket, place);
    assert.match(atVault?.failed?.why ?? "", /backoff limit\ndial tcp/);
    assert.equal(atVault?.failed?.atBucket, undefined);
    const onItsWay = await look({
      initContainerStatuses: ended(0, "saved"),
      containerStatuses: ended(1, "api error NoSuchBucket: there is none"),
    });
    assert.equal(onItsWay?.failed?.atBucket, true);
    const doctor = (backup: BackupView | undefined) => {
      assert.ok(backup);
      const evidence = evidenceOf({ backup: { value: backup } });
      return checks.flatMap((check) => [...check.find(evidence)]).map((found) => JSON.stringify(found));
    };
    assert.match(doctor(onItsWay).join(), /https:\/\/s3\.example\.com has no bucket snapshots.*bucket\.name/);
    assert.doesNotMatch(doctor(atVault).join(), /is not reached from the pod/);
  });

  it("is no good one while it is on its way, though it was saved", async () => {
    const saved = JSON.stringify({ file: "a.snap", record, kept: [["a.snap", 9]] });
    const view = await look({
      initContainerStatuses: ended(0, saved),
      containerStatuses: [{ state: { running: {} } }],
    });
    assert.equal(view?.good, undefined);
    assert.equal(view?.lastGoodAt, undefined);
  });

  it("is that a pod does not begin, while it waits and not only when its job has failed", async () => {
    const message = "Back-off pulling image rclone/rclone";
    const waiting = (reason: string) => ({
      initContainerStatuses: ended(0, "saved"),
      containerStatuses: [{ state: { waiting: { reason, message } } }],
    });
    assert.equal((await look(waiting("PodInitializing")))?.stuck, undefined);
    const value = await look(waiting("ImagePullBackOff"));
    assert.ok(value);
    assert.deepEqual(value.stuck, { job: "b2", why: `ImagePullBackOff: ${message}` });
    const evidence = evidenceOf({ backup: { value: { ...value, since: new Date().toISOString() } } });
    const { verdict, disagreements } = statusOf(evidence.subject, evidence);
    assert.equal(verdict, "degraded");
    assert.match(JSON.stringify(disagreements), /does not begin: ImagePullBackOff: Back-off pulling/);
    const found = checks.flatMap((check) => [...check.find(evidence)]);
    assert.match(JSON.stringify(found), /backup-stuck.*ImagePullBackOff.*describe job b2/);
  });

  it("is told by status: where they are kept, and that older ones could not be removed", () => {
    const message = { file: "a.snap", record, left: "AccessDenied", kept: [["a.snap", 9]] };
    const good = goodRecord(JSON.stringify(message));
    assert.ok(good);
    const text = (more: Partial<BackupView>) => {
      const evidence = evidenceOf({
        backup: { value: { ...view, lastGoodAt: record.savedAt, good, ...more } },
      });
      return statusText(statusOf(evidence.subject, evidence));
    };
    assert.match(
      text({}),
      /1 kept in s3:\/\/snapshots\/vault-ha\/dev, older ones were not removed \(AccessDenied\)/,
    );
    const { left: _, ...clean } = good;
    assert.doesNotMatch(text({ good: clean }), /not removed/);
  });

  it("is listed with the Vault that each is of", () => {
    const backups = [{ file: "dev-1.snap", size: 9, clusterId: "aab0078d-a607" }];
    assert.match(
      backupsText("dev", { bucket: place, backups }),
      /^In s3:\/\/snapshots\/vault-ha\/dev \(npm run snapshot fetch .*\n.*cluster\n\s*dev-1\.snap +9 bytes +aab0078d\n$/,
    );
    assert.match(backupsText("dev", { bucket: place, backups: [] }), /^In s3:.*: none yet\.\n$/);
  });
});

describe("a preview of a change to a bucket", () => {
  it("is safe, and says that the volume stays", () => {
    const changes = [
      change("update", "vault-backup-cronjob"),
      change("update", "lifecycle-backup-login"),
      change("delete", "vault-backup-volume", {
        type: "kubernetes:core/v1:PersistentVolumeClaim",
        retained: true,
      }),
    ];
    const { verdict, consequences } = judged({ changes, config: given });
    assert.equal(verdict, "safe");
    assert.match(
      consequences[0]?.says ?? "",
      /to the bucket snapshots\. What was saved before stays on the volume/,
    );
  });
});
