/** The image of an older Vault in the nodes of a cluster that plays one that exists. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { loadSources } from "../../sources.ts";
import { olderVault, olderVersion } from "./older-vault.ts";
import type { OutsideCluster } from "./outside-cluster.ts";
import { eventually } from "./shared-stack.ts";

/**
 * Puts the older Vault's image beside the one that the nodes hold: the same image but for the program.
 * @returns its tag; the repository is that of the other one
 */
export async function bringOlderImage(cluster: OutsideCluster): Promise<string> {
  const { repository, tag } = loadSources().vault.image;
  const [newer, older] = [`docker.io/${repository}:${tag}`, `docker.io/${repository}:${olderVersion}`];
  const folder = mkdtempSync(join(tmpdir(), "vault-ha-older-"));
  const ctr = ["ctr", "--namespace", "k8s.io", "images"];
  const change = (line: string) => ["--change", line];
  try {
    copyFileSync(await olderVault(), join(folder, "vault"));
    const tar = join(folder, "newer.tar");
    await unpack(cluster, newer, tar);
    const settings = [
      "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
      'ENTRYPOINT ["docker-entrypoint.sh"]',
    ];
    await execa("docker", ["import", ...settings.flatMap(change), tar, newer]);
    writeFileSync(join(folder, "Dockerfile"), `FROM ${newer}\nCOPY vault /usr/bin/vault\n`);
    writeFileSync(join(folder, ".dockerignore"), "*.tar\n");
    await execa("docker", ["build", "--quiet", "--tag", older, "."], {
      cwd: folder,
      env: { DOCKER_BUILDKIT: "0" },
    });
    const saved = join(folder, "older.tar");
    await execa("docker", ["save", "--output", saved, older]);
    const all = await cluster.kubectl("get", "nodes", "--output", "jsonpath={.items[*].metadata.name}");
    for (const node of all.split(" "))
      await execa("docker", ["exec", "--interactive", node, ...ctr, "import", "-"], { inputFile: saved });
    return olderVersion;
  } finally {
    await execa("docker", ["image", "rm", "--force", older, newer], { reject: false });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is in an image, as a node has it for a container: it keeps no layers that could be exported. */
async function unpack(cluster: OutsideCluster, image: string, tar: string): Promise<void> {
  const pod = ["pod/unpacked", "--namespace", "default"];
  await cluster.kubectl(
    "run",
    "unpacked",
    "--namespace",
    "default",
    "--image",
    image,
    "--command",
    "--",
    "sleep",
    "600",
  );
  const seen = (path: string) => cluster.kubectl("get", ...pod, "--output", `jsonpath={${path}}`);
  await eventually(async () => (await seen(".status.phase")) === "Running", "a pod of the image");
  const id = (await seen(".status.containerStatuses[0].containerID")).replace("containerd://", "");
  const root = `/run/containerd/io.containerd.runtime.v2.task/k8s.io/${id}/rootfs`;
  const without = ["proc", "sys", "dev", "run"].flatMap((name) => ["--exclude", `./${name}/*`]);
  const args = ["exec", await seen(".spec.nodeName"), "tar", "-c", ...without, "-C", root, "."];
  await execa("docker", args, { stdout: { file: tar }, buffer: false });
  await cluster.kubectl("delete", ...pod, "--grace-period", "0", "--force");
}
