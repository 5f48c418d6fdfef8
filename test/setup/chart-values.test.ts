import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { buildRenderer, type KubernetesObject, namespace, render } from "../support/chart.ts";

/** One sentence about a value; how to read it stands in chart/statefulset.yaml. */
interface Sentence {
  says: string;
  values?: Record<string, unknown>;
  expect: Record<string, unknown>;
}

const shortcuts: Record<string, string> = {
  pod: "StatefulSet vault spec.template.spec",
  container: "StatefulSet vault spec.template.spec.containers.vault",
};

/** What stands at "Service vault spec.ports.http" or "pod affinity"; null where there is nothing. */
function lookUp(objects: KubernetesObject[], where: string): unknown {
  const [first = "", rest = ""] = where.split(/ (.*)/);
  if (first in shortcuts) return lookUp(objects, `${shortcuts[first]}.${rest}`);
  const [name, path = ""] = rest.split(" ");
  const object = objects.find((one) => one.kind === first && one.metadata.name === name);
  const steps = path === "" ? [] : path.split(".");
  return (
    steps.reduce(
      (inner, step) =>
        Array.isArray(inner) && !/^\d+$/.test(step) ? inner.find((one) => one.name === step) : inner?.[step],
      object,
    ) ?? null
  );
}

describe("The Vault chart of the closed network", function () {
  this.timeout(20_000);
  before(buildRenderer);

  for (const table of ["statefulset", "pod", "container", "services", "rest"])
    describe(`does with each value what the official chart does: ${table}`, () => {
      const sentences = parse(readFileSync(`test/setup/chart/${table}.yaml`, "utf8")) as Sentence[];
      for (const { says, values, expect } of sentences)
        it(says, async () => {
          const objects = await render(values);
          for (const [where, expected] of Object.entries(expect))
            assert.deepEqual(lookUp(objects, where), expected, where);
        });
    });

  it("gives exactly the objects of a highly available Vault", async () => {
    const objects = await render();
    assert.deepEqual(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort(), [
      "ClusterRoleBinding vault-server-binding",
      "ConfigMap vault-config",
      "PodDisruptionBudget vault",
      "Role vault-discovery-role",
      "RoleBinding vault-discovery-rolebinding",
      "Service vault",
      "Service vault-active",
      "Service vault-internal",
      "Service vault-standby",
      "Service vault-ui",
      "ServiceAccount vault",
      "StatefulSet vault",
    ]);
  });

  it("speaks of every object in the version of Kubernetes' API that it is stable in", async () => {
    const on = [
      "server.networkPolicy.enabled",
      "server.ingress.enabled",
      "server.serviceAccount.createSecret",
    ];
    const objects = await render(Object.fromEntries(on.map((key) => [key, true])));
    const versions = Object.fromEntries(objects.map(({ kind, apiVersion }) => [kind, apiVersion]));
    assert.deepEqual(versions, {
      ClusterRoleBinding: "rbac.authorization.k8s.io/v1",
      ConfigMap: "v1",
      Ingress: "networking.k8s.io/v1",
      NetworkPolicy: "networking.k8s.io/v1",
      PodDisruptionBudget: "policy/v1",
      Role: "rbac.authorization.k8s.io/v1",
      RoleBinding: "rbac.authorization.k8s.io/v1",
      Secret: "v1",
      Service: "v1",
      ServiceAccount: "v1",
      StatefulSet: "apps/v1",
    });
    assert.ok(objects.every(({ apiVersion }) => apiVersion));
  });

  it("labels every object with the application, the release and who manages it", async () => {
    for (const { kind, metadata } of await render()) {
      const { "helm.sh/chart": chart, "vault-active": _, "vault-internal": __, ...labels } = metadata.labels;
      assert.equal(chart, kind === "StatefulSet" ? undefined : "vault-0.34.1-closed.1", kind);
      assert.deepEqual(
        labels,
        {
          "app.kubernetes.io/name": metadata.name === "vault-ui" ? "vault-ui" : "vault",
          "app.kubernetes.io/instance": "vault",
          "app.kubernetes.io/managed-by": "Helm",
        },
        `${kind} ${metadata.name}`,
      );
    }
  });

  for (const [says, values, expected] of [
    ["the release's namespace", {}, namespace],
    ["global.namespace", { "global.namespace": "other" }, "other"],
  ] as const)
    it(`puts every object that can have one into ${says}`, async () => {
      for (const { kind, metadata, subjects } of await render(values)) {
        assert.equal(metadata.namespace, kind === "ClusterRoleBinding" ? undefined : expected, kind);
        if (subjects) assert.equal(subjects[0].namespace, expected, kind);
      }
    });
});

describe("chart-render", () => {
  it("uses the Helm library of the kubernetes plug-in", () => {
    const helm = (file: string) => /helm\.sh\/helm\/v3 (v\S+)/.exec(readFileSync(file, "utf8"))?.[1];
    assert.ok(helm("offline/go/pulumi/go.mod"));
    assert.equal(helm("offline/go/chart-render/go.mod"), helm("offline/go/pulumi/go.mod"));
  });
});
