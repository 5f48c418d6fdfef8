import assert from "node:assert/strict";
import { parse } from "yaml";
import { fingerprint, kindConfig } from "../../components/kind-config.ts";
import { readSettings, type Settings } from "../../config.ts";

const settingsFor = (given: Record<string, string> = {}) => readSettings(given).settings as Settings;
const configFor = (given: Record<string, string> = {}, image?: string) =>
  kindConfig(settingsFor(given), image);

describe("the kind configuration", () => {
  it("is one control-plane that takes the ingress, and three workers", () => {
    const { nodes } = parse(configFor());
    assert.deepEqual(
      nodes.map((node: { role: string }) => node.role),
      ["control-plane", "worker", "worker", "worker"],
    );
    assert.deepEqual(nodes[0].labels, { "ingress-ready": "true" });
  });

  it("maps 80, 443, 30000 and 30001 to this machine, on loopback only by default", () => {
    const mappings = parse(configFor({ "cluster.ports.http": "9080" })).nodes[0].extraPortMappings;
    assert.deepEqual(
      mappings.map((m: { containerPort: number; hostPort: number }) => [m.containerPort, m.hostPort]),
      [
        [80, 9080],
        [443, 8443],
        [30000, 30000],
        [30001, 30001],
      ],
    );
    for (const mapping of mappings) assert.equal(mapping.listenAddress, "127.0.0.1");
  });

  it("has as many workers as the settings say", () => {
    assert.equal(parse(configFor({ "vault.replicas": "5" })).nodes.length, 6);
  });

  it("names the node image on every node, or on none", () => {
    for (const node of parse(configFor({}, "some/node:1")).nodes) assert.equal(node.image, "some/node:1");
    for (const node of parse(configFor()).nodes) assert.equal("image" in node, false);
  });

  it("lets the kubelet run on cgroup v1", () => {
    assert.match(parse(configFor()).kubeadmConfigPatches[0], /failCgroupV1: false/);
  });

  it("has a fingerprint that changes exactly when the configuration does", () => {
    const base = fingerprint(configFor());
    for (const same of [
      { "vault.threshold": "4" },
      { "timeouts.podSeconds": "99" },
      { "vault.storageSize": "1Gi" },
    ])
      assert.equal(fingerprint(configFor(same)), base, JSON.stringify(same));
    const others = [
      configFor({ "cluster.ports.vault": "31000" }),
      configFor({ "cluster.listenAddress": "0.0.0.0" }),
      configFor({ "cluster.workers": "4" }),
      configFor({}, "some/node:1"),
    ].map(fingerprint);
    assert.equal(new Set([base, ...others]).size, others.length + 1);
  });
});
