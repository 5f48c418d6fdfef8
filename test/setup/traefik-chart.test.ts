import assert from "node:assert/strict";
import { buildRenderer, type KubernetesObject, namespace, renderAll } from "../support/chart.ts";

describe("Traefik's chart", function () {
  this.timeout(20_000);
  before(buildRenderer);
  const render = async (values: object) => (await renderAll([values], "charts/traefik"))[0];

  it("puts one pod on the node whose ports 80 and 443 are this machine's, and serves the class nginx", async () => {
    const { objects = [], refused } = (await render({ image: "example/traefik:1" })) ?? {};
    assert.equal(refused, undefined);
    const object = (kind: string): KubernetesObject => objects.find((one) => one.kind === kind);
    const { spec } = object("Deployment");
    assert.equal(spec.strategy.type, "Recreate");
    const pod = spec.template.spec;
    assert.deepEqual(pod.nodeSelector, { "ingress-ready": "true" });
    const [container] = pod.containers;
    assert.equal(container.image, "example/traefik:1");
    const ports = Object.fromEntries(
      container.ports.map(({ hostPort, containerPort }: Record<string, number>) => [hostPort, containerPort]),
    );
    // Each host port leads to an entry point.
    for (const [hostPort, name] of [
      [80, "web"],
      [443, "websecure"],
    ])
      assert.ok(container.args.includes(`--entrypoints.${name}.address=:${ports[`${hostPort}`]}`), `${name}`);
    assert.deepEqual(
      [object("IngressClass").metadata.name, object("IngressClass").spec.controller],
      ["nginx", "k8s.io/ingress-nginx"],
    );
  });

  it("lets it read and no more, but for an Ingress's status", async () => {
    const { objects = [] } = (await render({ image: "example/traefik:1" })) ?? {};
    const role = objects.find(({ kind }) => kind === "ClusterRole");
    for (const { resources, verbs } of role.rules)
      assert.deepEqual(
        verbs,
        resources.includes("ingresses/status") ? ["update"] : ["list", "watch"],
        `${resources}`,
      );
    const binding = objects.find(({ kind }) => kind === "ClusterRoleBinding");
    assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: "traefik", namespace }]);
    assert.equal(binding.roleRef.name, role.metadata.name);
  });

  it("is refused without an image", async () => {
    assert.match((await render({}))?.refused ?? "", /image/);
  });
});
