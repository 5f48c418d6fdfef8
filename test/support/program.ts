/**
 * Runs index.ts on Pulumi's mocks and gives every resource as it was registered:
 * its inputs (secrets still marked), what it depends on, and what it is deleted with.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import { stringify } from "yaml";
import { serverNames } from "../../steps/lib/certificates.ts";
import { issueCertificate, makeAuthority } from "../../steps/lib/x509.ts";

export interface Registered {
  name: string;
  type: string;
  /** As on the wire; see `isSecret`. */
  inputs: Record<string, unknown>;
  /** Names of the resources it waits for. */
  dependsOn: string[];
  deletedWith: string | undefined;
  secretOutputs: string[];
  ignoreChanges: string[];
  protect: boolean;
  retainOnDelete: boolean;
}

/** What the fake steps answer. A test searches for these to see that they stay secret. */
export const marked = {
  shares: ["MARKED-SHARE-0", "MARKED-SHARE-1"],
  rootToken: "MARKED-ROOT-TOKEN",
  kubeconfigUser: "MARKED-KUBECONFIG-USER",
  /** Public: previews show it. */
  clusterId: "cluster-id-of-vault",
};

/** An authority and a certificate as the steps make them; the keys are secret. */
export const madeAuthority = await makeAuthority("mocked");
export const madeCertificate = await issueCertificate(
  madeAuthority,
  serverNames({ namespace: "vault", host: "vault.localhost" }),
);

/** Whether a value is marked as a secret: Pulumi's mark on the wire. */
export function isSecret(value: unknown): boolean {
  const mark = "4dabf18193072939515e22adb298388d";
  return (
    typeof value === "object" &&
    value !== null &&
    (value as Record<string, unknown>)[mark] === "1b47061264138c4ac30d75fd1eb44270"
  );
}

export interface RunOptions {
  config?: Record<string, string>;
  /** As at a first preview: nothing is made yet, so no step has an answer. */
  preview?: boolean;
  /** What steps answer instead of their usual, by name. */
  answers?: Record<string, object>;
  /** Whether Kubernetes knows ServiceMonitors. */
  monitors?: boolean;
  /** Filled with what was declared, also where the program ends with an error. */
  declared?: Map<string, Registered>;
}

let runs = 0;

export async function runProgram({
  config = {},
  preview = false,
  answers = {},
  monitors = false,
  declared: resources = new Map(),
}: RunOptions = {}): Promise<Map<string, Registered>> {
  const kubernetes = await fakeKubernetes(monitors);
  const path = process.env.PATH;
  process.env.PATH = `${resolve("test/support/fake-bin")}:${path}`;
  const restore = recordRegistrations(resources);
  try {
    if (config["cluster.driver"] === "existing") {
      const text = kubeconfigFor(kubernetes.url);
      config = { "cluster.context": "fake", "cluster.kubeconfig": writeTemporary(text), ...config };
    }
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [`vault-ha:${key}`, value])),
    );
    await pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => ({
          id: `${name}-id`,
          state: {
            ...inputs,
            ...(answers[name]
              ? { stdout: JSON.stringify(answers[name]) }
              : outputsOf(name, preview, kubernetes.url)),
          },
        }),
        call: () => ({}),
      },
      "vault-ha",
      // No stack of anybody's: the program writes into its stack's folder.
      "mocked",
      preview,
    );
    // A new query makes Node run the program anew.
    try {
      await import(`../../index.ts?run=${++runs}`);
    } finally {
      // What was declared before an error goes its way all the same.
      await pulumi.runtime.disconnect();
    }
    return resources;
  } finally {
    restore();
    process.env.PATH = path;
    kubernetes.close();
    for (const folder of temporaries.splice(0)) rmSync(folder, { recursive: true });
    rmSync(".local/stacks/mocked/kubeconfig", { force: true });
  }
}

const temporaries: string[] = [];

function writeTemporary(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-kubeconfig-"));
  temporaries.push(folder);
  const file = join(folder, "config");
  writeFileSync(file, text);
  return file;
}

function recordRegistrations(resources: Map<string, Registered>): () => void {
  const original = MockMonitor.prototype.registerResource;
  const nameOf = (urn: string) => urn.split("::").at(-1) ?? "";
  MockMonitor.prototype.registerResource = function (request: RegisterResourceRequest, callback) {
    resources.set(request.getName(), {
      name: request.getName(),
      type: request.getType(),
      inputs: (request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
      dependsOn: request.getDependenciesList().map(nameOf),
      deletedWith: request.getDeletedwith() ? nameOf(request.getDeletedwith()) : undefined,
      secretOutputs: request.getAdditionalsecretoutputsList(),
      ignoreChanges: request.getIgnorechangesList(),
      protect: request.getProtect() ?? false,
      retainOnDelete: request.getRetainondelete() ?? false,
    });
    return original.call(this, request, callback);
  };
  return () => {
    MockMonitor.prototype.registerResource = original;
  };
}

/** The answers of the steps, and the suffix; in a preview of something new there are none. */
function outputsOf(name: string, preview: boolean, kubernetesUrl: string): Record<string, unknown> {
  if (preview) return {};
  if (name === "cluster-suffix") return { result: "abc123" };
  if (name === "cluster-create")
    return { stdout: JSON.stringify({ kubeconfig: kubeconfigFor(kubernetesUrl), instance: "instance-1" }) };
  if (name.startsWith("lifecycle-init"))
    return { stdout: JSON.stringify({ shares: marked.shares, rootToken: marked.rootToken }) };
  if (name === "vault-tls-authority") return { stdout: JSON.stringify(madeAuthority) };
  if (name === "vault-tls-certificate") return { stdout: JSON.stringify(madeCertificate) };
  if (name === "vault-tls-found") return { stdout: JSON.stringify({ caCert: madeAuthority.cert }) };
  if (name === "lifecycle-rollout") return { stdout: "" };
  if (name === "lifecycle-verify") return { stdout: JSON.stringify({ peers: [] }) };
  if (name.startsWith("lifecycle-unseal")) return { stdout: JSON.stringify({ clusterId: marked.clusterId }) };
  return { stdout: "{}" };
}

const kubeconfigFor = (server: string) =>
  stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "fake",
    clusters: [{ name: "fake", cluster: { server } }],
    users: [{ name: marked.kubeconfigUser, user: {} }],
    contexts: [{ name: "fake", context: { cluster: "fake", user: marked.kubeconfigUser } }],
  });

/** A Kubernetes API in which every Vault pod runs in `container-<pod>`, objects are `uid-of-<name>`, and all is allowed. */
async function fakeKubernetes(monitors: boolean): Promise<{ url: string; close(): void }> {
  const pods = Array.from({ length: 7 }, (_, n) => `vault-${n}`).map((name) => ({
    metadata: { name, namespace: "vault", uid: `uid-${name}` },
    spec: {
      containers: [{ name: "vault" }],
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: `data-${name}` } }],
    },
    status: {
      phase: "Running",
      containerStatuses: [
        {
          name: "vault",
          containerID: `containerd://container-${name}`,
          restartCount: 0,
          state: { running: {} },
        },
      ],
    },
  }));
  const server = createServer((request, response) => {
    const name = request.url?.match(/\/pods\/([^/?]+)/)?.[1];
    const identified = request.url?.match(
      /\/(?:persistentvolumeclaims|namespaces|storageclasses)\/([^/?]+)$/,
    )?.[1];
    const kinds = monitors &&
      request.url === "/apis/monitoring.coreos.com/v1" && { resources: [{ kind: "ServiceMonitor" }] };
    const asked = request.method === "POST" && { status: { allowed: true } };
    const body = name
      ? pods.find((pod) => pod.metadata.name === name)
      : kinds ||
        (identified && {
          metadata: { uid: `uid-of-${identified}`, labels: { "vault-ha/stack": "mocked" } },
        });
    response
      .writeHead(asked ? 201 : body ? 200 : 404, { "content-type": "application/json" })
      .end(JSON.stringify(asked || body || {}));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
