import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type IngressValuesArgs, ingressValues } from "../../components/ingress-values.ts";
import { type Values, valueAt, withValue } from "../../components/values-file.ts";
import { closedSources } from "../../offline/images.ts";
import { officialSources, type Sources } from "../../sources.ts";

const official: IngressValuesArgs = {
  source: officialSources.ingressNginx,
  images: "official",
  sparePort: 30001,
};
const closed: IngressValuesArgs = {
  source: closedSources().ingressNginx as Sources["ingressNginx"],
  images: "closed",
  sparePort: 31001,
};

describe("The values of the ingress-nginx chart", () => {
  let folder: string;
  let ownFile: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ingress-values-"));
    ownFile = join(folder, "own.yaml");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function withOwn(own: string | object, args = official) {
    writeFileSync(ownFile, typeof own === "string" ? own : stringify(own));
    return ingressValues({ ...args, ownFile });
  }
  const withKey = (key: string, value: unknown, args = official) => withOwn(withValue({}, key, value), args);

  it("are kind's flavour, with the image that the source brings", () => {
    const { values, problems } = ingressValues(closed);
    assert.deepEqual(problems, []);
    assert.equal(valueAt(values, "controller.hostPort.enabled"), true);
    assert.equal(valueAt(values, "controller.image.tag"), "v1.11.0");
    assert.equal(valueAt(ingressValues(official).values, "controller.image"), undefined);
  });

  for (const args of [official, closed])
    it(`take a stack's own values over that, key by key (${args.images} images)`, () => {
      const { values, problems } = withOwn(
        {
          controller: {
            config: { "proxy-body-size": "8m" },
            extraArgs: { v: "2" },
            watchIngressWithoutClass: false,
          },
        },
        args,
      );
      assert.deepEqual(problems, []);
      const base = ingressValues(args).values;
      const expected = [
        ["controller.config", { "proxy-body-size": "8m" }],
        ["controller.extraArgs.v", "2"],
        ["controller.watchIngressWithoutClass", false],
      ].reduce<Values>((all, [key, value]) => withValue(all, key as string, value), base);
      assert.deepEqual(values, expected);
    });

  for (const [key, value] of [
    ["controller.kind", "DaemonSet"],
    ["controller.replicaCount", 2],
    ["controller.autoscaling.enabled", true],
    ["controller.hostPort.enabled", false],
    ["controller.hostPort.ports.http", 8000],
    ["controller.hostPort.ports.https", null],
    ["controller.nodeSelector.ingress-ready", "false"],
    ["controller.tolerations", []],
    ["controller.updateStrategy.type", "RollingUpdate"],
    ["controller.updateStrategy.rollingUpdate", { maxUnavailable: 1 }],
    ["controller.ingressClassResource.enabled", false],
    ["controller.ingressClassResource.name", "other"],
    ["controller.extraArgs.enable-ssl-passthrough", "false"],
    ["controller.scope.enabled", true],
    ["controller.service.type", "LoadBalancer"],
  ] as const)
    it(`refuse ${key}: ${JSON.stringify(value)}, with the file, the reason and what to do`, () => {
      const { problems } = withKey(key, value);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.ok(problems[0]?.startsWith(`${ownFile}: ${key}: `), problems[0]);
      assert.match(problems[0] ?? "", / cannot be used\. [A-Z][^\n]+\.\n {4}Remove the key/);
    });

  it("name the setting of a port that is asked for in the file", () => {
    const { problems } = withKey("controller.hostPort.ports.https", 9443);
    assert.match(problems[0] ?? "", /: pulumi config set cluster\.ports\.https <port>$/);
  });

  it("are not emptied by a key with nothing under it", () => {
    const { problems } = withOwn("controller:\n  hostPort:\n");
    assert.match(problems[0] ?? "", /own\.yaml: controller\.hostPort has nothing under it/);
  });

  it("report everything at once, and a missing file with the command that does without it", () => {
    const { problems } = withOwn({
      controller: { kind: "DaemonSet", replicaCount: 3, service: { type: "LoadBalancer" } },
    });
    assert.equal(problems.length, 3);
    const missing = ingressValues({ ...official, ownFile: "no-such-file.yaml" });
    assert.match(
      missing.problems[0] ?? "",
      /^no-such-file\.yaml: there is no such file[\s\S]*pulumi config rm ingress\.valuesFile$/,
    );
  });

  const streams = {
    tcp: { 5432: "default/postgres:5432", 6379: "default/redis:6379:PROXY" },
    udp: { 53: "kube-system/kube-dns:53" },
  };

  it("refuse each TCP and UDP service by name where the image cannot serve it", () => {
    const { problems } = withOwn(streams, closed);
    assert.deepEqual(
      problems.map((problem) => /^\S+own\.yaml: (.*?) cannot be served\. /.exec(problem)?.[1]),
      [
        'tcp.5432: "default/postgres:5432"',
        'tcp.6379: "default/redis:6379:PROXY"',
        'udp.53: "kube-system/kube-dns:53"',
      ],
    );
    assert.match(problems[0] ?? "", /nodePort 30001 is this machine's port 31001 \(cluster\.ports\.spare\)/);
    assert.match(problems[2] ?? "", /no UDP port of this machine leads into the cluster/);
  });

  it("refuse them in whatever form they are asked for there", () => {
    for (const [key, value] of [
      ["tcp", ["default/redis:6379"]],
      ["udp", "53"],
      ["controller.extraArgs.tcp-services-configmap", "default/services"],
      ["controller.extraArgs.udp-services-configmap", "default/services"],
    ] as const) {
      const { problems } = withKey(key, value, closed);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.ok(problems[0]?.startsWith(`${ownFile}: ${key}: `), problems[0]);
      assert.match(problems[0] ?? "", /has no Lua for its stream module/);
    }
  });

  it("let them through with the official image, and an empty list everywhere", () => {
    const { values, problems } = withOwn(streams);
    assert.deepEqual(problems, []);
    assert.deepEqual([values.tcp, values.udp], [streams.tcp, streams.udp]);
    assert.deepEqual(withOwn("tcp: {}\nudp:\n", closed).problems, []);
  });

  it("refuse what would need an image that the nodes do not hold, there alone", () => {
    for (const key of [
      "controller.admissionWebhooks.enabled",
      "controller.opentelemetry.enabled",
      "defaultBackend.enabled",
    ]) {
      assert.match(withKey(key, true, closed).problems[0] ?? "", /The nodes hold no image for it/);
      assert.deepEqual(withKey(key, true).problems, []);
    }
    const other = withKey("controller.image.tag", "v1.15.1", closed);
    assert.match(
      other.problems[0] ?? "",
      /controller\.image\.tag: "v1\.15\.1" cannot be used\. Set-up found this image/,
    );
  });
});
