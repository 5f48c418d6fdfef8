import assert from "node:assert/strict";
import { chmod, copyFile, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { ClusterTools } from "../../support/cluster-tools.ts";
import { KubeApi } from "../../support/kube-api.ts";
import type { Fault } from "./fault.ts";

/** Faults of the stack's own files. */
export function fileFaults(tools: ClusterTools): Fault[] {
  const journal = join(tools.stackDir, "vault-init.json");
  let other: KubeApi | undefined;
  return [
    {
      title: "a journal that others can read",
      make: () => chmod(journal, 0o644),
      undo: () => tools.looks.follow("chmod 600"),
      expect: {
        id: "journal-readable",
        evidence: /vault-init\.json => 0644, wanted 0600/,
        next: /^chmod 600 .*vault-init\.json$/,
        verdict: "degraded",
      },
    },
    {
      title: "a journal that is gone",
      make: () => rename(journal, `${journal}.away`),
      undo: () => rename(`${journal}.away`, journal),
      expect: {
        id: "journal-missing",
        evidence: /no such file[\s\S]*the step init => is in it, with the keys/,
        next: /pulumi stack output shares --show-secrets/,
        verdict: "healthy",
      },
    },
    {
      title: "a lock that a killed pulumi left",
      make: () => tools.killPulumi(),
      undo: async () => void (await execa("pulumi", ["cancel", "--yes", "--stack", tools.stack])),
      expect: {
        id: "lock-stale",
        evidence: /whose process does not run => process \d+ of/,
        next: /^npm run up/,
        verdict: "healthy",
      },
    },
    {
      title: "a kubeconfig that leads to another cluster",
      make: async () => {
        other = await KubeApi.start();
        await copyFile(tools.kubeconfig, `${tools.kubeconfig}.kept`);
        await writeFile(tools.kubeconfig, other.kubeconfig);
      },
      undo: async () => {
        await rename(`${tools.kubeconfig}.kept`, tools.kubeconfig);
        await other?.end();
      },
      expect: {
        id: "kubeconfig-other-cluster",
        evidence:
          /UID of the namespace kube-system => [0-9a-f-]{36}\n.*the same UID => uid-of-kube-system\n.*127\.0\.0\.1:\d+\n.*6443\/tcp => 127\.0\.0\.1:\d+/,
        next: /kind get kubeconfig --name vault-ha-/,
        verdict: "down",
      },
    },
    {
      title: "a kubeconfig whose authority is another one's",
      make: async () => {
        const text = await readFile(tools.kubeconfig, "utf8");
        await copyFile(tools.kubeconfig, `${tools.kubeconfig}.kept`);
        // The client's certificate is one, too, and the server's is not of it.
        const own = /client-certificate-data: (\S+)/.exec(text)?.[1] ?? "";
        await writeFile(
          tools.kubeconfig,
          text.replace(/certificate-authority-data: \S+/, `certificate-authority-data: ${own}`),
        );
      },
      undo: async () => {
        await tools.looks.follow("kind get kubeconfig");
        await rm(`${tools.kubeconfig}.kept`);
        assert.equal((await stat(tools.kubeconfig)).mode & 0o777, 0o600);
      },
      expect: {
        id: "kubeconfig-other-cluster",
        evidence: /certificate/,
        next: /kind get kubeconfig --name vault-ha-/,
        verdict: "down",
      },
    },
  ];
}
