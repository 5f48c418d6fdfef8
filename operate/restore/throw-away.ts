/** A Vault of one pod in a namespace of its own, which lives as long as a rehearsal. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { auditFolder } from "../../components/vault-rules.ts";
import { NotYet } from "../../steps/lib/errors.ts";
import type { Kube } from "../../steps/lib/kube.ts";
import { storyOf } from "../../steps/lib/pod-story.ts";
import { getPod } from "../../steps/lib/pods.ts";
import { until, type Waiting } from "../../steps/lib/wait.ts";

/** The name of its pod, and of its raft server. */
export const throwAwayPod = "vault-rehearsal";

/** On its namespace: of which stack it is. */
const label = "vault-ha/rehearsal";

const folder = "/vault/rehearsal";
const Made = z.object({});

/** Makes it and waits until its container runs. @returns its namespace */
export async function makeThrowAway(
  kube: Kube,
  stack: string,
  image: string,
  step: Waiting,
): Promise<string> {
  const namespace = `vault-rehearsal-${randomBytes(4).toString("hex")}`;
  const metadata = { name: namespace, labels: { [label]: stack } };
  const { signal } = step;
  await kube.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata }, Made, signal);
  const networkPolicies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  await kube.create(networkPolicies, networkPolicy(), Made, signal);
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  // The controller makes the account that every pod wants a moment after the namespace.
  const make = () => kube.create(pods, pod(image), Made, signal);
  await until("the pod to be made", make, step);
  const runs = async () => {
    const story = storyOf(await getPod(kube, namespace, throwAwayPod, signal));
    if (!story.running) throw new NotYet(story.words);
  };
  await until("the pod to run", runs, step);
  return namespace;
}

/** Removes it, and what former rehearsals of the stack left that were killed. Waits until it is gone. */
export async function removeThrowAways(kube: Kube, stack: string, step: Waiting): Promise<string[]> {
  const path = `/api/v1/namespaces?labelSelector=${encodeURIComponent(`${label}=${stack}`)}`;
  const Namespaces = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });
  const there = async () =>
    ((await kube.get(path, Namespaces, step.signal))?.items ?? []).map(({ metadata }) => metadata.name);
  const found = await there();
  for (const name of found) await kube.delete(`/api/v1/namespaces/${name}`, step.signal);
  const gone = async () => {
    const left = await there();
    if (left.length > 0) throw new NotYet(`${left.join(", ")} is still there`);
  };
  await until("the rehearsal's namespace to be gone", gone, step);
  return found;
}

/**
 * Nothing goes in or out. The copy has the leases and the settings of the Vault that serves: where one has run out, it
 * would revoke it at the database that it is for.
 */
const networkPolicy = () => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "nothing" },
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
});

/** It listens to itself alone, which a port-forward reaches, and keeps its data as long as its pod lives. */
const configuration = {
  disable_mlock: true,
  ui: false,
  listener: [{ tcp: { address: "127.0.0.1:8200", cluster_address: "127.0.0.1:8201", tls_disable: true } }],
  storage: { raft: { path: `${folder}/data`, node_id: throwAwayPod, performance_multiplier: "1" } },
  api_addr: "http://127.0.0.1:8200",
  cluster_addr: "https://127.0.0.1:8201",
};

const pod = (image: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: throwAwayPod },
  spec: {
    automountServiceAccountToken: false,
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    // Not every cluster enforces network policies: without names, the copy finds nobody either.
    dnsPolicy: "None",
    dnsConfig: { nameservers: ["127.0.0.1"] },
    // The account and group of the image, as the chart has them.
    securityContext: { runAsNonRoot: true, runAsUser: 100, runAsGroup: 1000, fsGroup: 1000 },
    containers: [
      {
        name: "vault",
        image,
        command: [
          "sh",
          "-c",
          `mkdir -p ${folder}/data && printf %s "$CONFIGURATION" >${folder}/vault.json && exec vault server -config=${folder}/vault.json`,
        ],
        env: [{ name: "CONFIGURATION", value: JSON.stringify(configuration) }],
        securityContext: { allowPrivilegeEscalation: false },
        volumeMounts: [
          { name: "data", mountPath: folder },
          // An audit device that the snapshot has enabled wants its folder, or Vault does not serve.
          { name: "audit", mountPath: auditFolder },
        ],
      },
    ],
    volumes: [
      { name: "data", emptyDir: {} },
      { name: "audit", emptyDir: {} },
    ],
  },
});
