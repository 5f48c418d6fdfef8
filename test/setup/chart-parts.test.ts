import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type Part, partOf } from "../../operate/preview/values-diff.ts";
import { buildRenderer, type KubernetesObject, render } from "../support/chart.ts";

/** For each value: what of the chart's objects it changes has to be what the preview takes it for. */
const changes: Record<string, Record<string, unknown>> = {
  image: { "server.image.tag": "9.9.9" },
  "log level": { "server.logLevel": "debug" },
  resources: { "server.resources": { requests: { cpu: "1" } } },
  "pod annotations": { "server.annotations": { a: "b" } },
  environment: { "server.extraEnvironmentVars": { A: "b" } },
  "mount path": { "server.dataStorage.mountPath": "/elsewhere" },
  configuration: { "server.ha.raft.config": "ui = false" },
  "storage size": { "server.dataStorage.size": "99Gi" },
  "storage class": { "server.dataStorage.storageClass": "fast" },
  "access mode": { "server.dataStorage.accessMode": "ReadWriteMany" },
  "audit volume": { "server.auditStorage.enabled": true },
  replicas: { "server.ha.replicas": 5 },
  "UI service": { "ui.serviceType": "LoadBalancer" },
  "UI annotations": { "ui.annotations": { a: "b" } },
  "service annotations": { "server.service.active.annotations": { a: "b" } },
  "service port": { "server.service.port": 8300 },
  "network policy": { "server.networkPolicy.enabled": true },
  "disruption budget": { "server.ha.disruptionBudget.enabled": false },
  "auth delegator": { "server.authDelegator.enabled": false },
  "StatefulSet's annotations": { "server.statefulSet.annotations": { a: "b" } },
  "claims' retention": { "server.persistentVolumeClaimRetentionPolicy": { whenDeleted: "Delete" } },
  "service account": { "server.serviceAccount.annotations": { a: "b" } },
};

describe("what the preview takes a value of the chart for", function () {
  this.timeout(20_000);
  let base: KubernetesObject[];
  before(async function () {
    await buildRenderer.call(this);
    base = await render();
  });

  const statefulSet = (objects: KubernetesObject[]) =>
    objects.find(({ kind }) => kind === "StatefulSet").spec;

  for (const [what, change] of Object.entries(changes))
    it(`is what it changes in the chart's objects: ${what}`, async () => {
      const [before, after] = [statefulSet(base), statefulSet(await render(change))];
      const differs = (key: string) => !isDeepStrictEqual(before[key], after[key]);
      const [path = ""] = Object.keys(change);
      const part: Part = partOf(path);
      assert.equal(differs("volumeClaimTemplates"), part === "volumes", "volumes");
      assert.equal(differs("replicas"), part === "replicas", "replicas");
      // An audit volume is mounted, too; it is refused before that counts.
      const inPods = part === "pods" || path.startsWith("server.auditStorage");
      assert.equal(differs("template"), inPods, "the pods' template");
    });
});
