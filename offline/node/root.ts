import {
  chmod,
  cp,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyInto, program } from "../images/folder.ts";
import { ingressPackages } from "../images/ingress.ts";
import { kubernetesVersion } from "../images/names.ts";
import type { Log } from "../lib/part.ts";
import { run } from "../lib/run.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

export interface NodeFrom {
  /** images/base/files of kind's module: entrypoint, units, containerd's configuration. */
  kindFiles: string;
  /** Folder with containerd, ctr and containerd-shim-runc-v2. */
  containerd: string;
  /** The program that is every Kubernetes component. */
  kube: string;
}

/**
 * Turns an unpacked Debian root into a kind node's, in the steps of kind's images/base/Dockerfile and
 * pkg/build/nodeimage, which download what they add; here it comes from Debian and from Go modules.
 */
export async function nodeRoot(log: Log, from: NodeFrom, root: string): Promise<void> {
  const systemctl = (...args: string[]) => run(log, "chroot", [root, "systemctl", ...args]);
  await slim(log, root);

  await copyInto(log, from.kindFiles, root);
  for (const dir of ["usr/local/bin", "kind/bin"]) {
    for (const name of await readdir(join(root, dir))) await chmod(join(root, dir, name), 0o755);
  }
  for (const name of ["containerd", "ctr", "containerd-shim-runc-v2"]) {
    await program(join(from.containerd, name), root, `usr/local/bin/${name}`);
  }
  await program(from.kube, root, "usr/bin/kube");
  for (const name of ["kubeadm", "kubelet", "kubectl"]) await symlink("kube", join(root, "usr/bin", name));
  await writeFile(join(root, "kind/version"), kubernetesVersion);

  // The plug-ins that the routes' configuration and kind name.
  await mkdir(join(root, "opt/cni/bin"), { recursive: true });
  for (const name of ["host-local", "loopback", "portmap", "ptp"]) {
    await rename(join(root, "usr/lib/cni", name), join(root, "opt/cni/bin", name));
  }
  await rm(join(root, "usr/lib/cni"), { recursive: true });

  await mkdir(join(root, "kind/manifests"), { recursive: true });
  for (const name of ["default-cni.yaml", "default-storage.yaml"]) {
    await cp(join(here, name), join(root, "kind/manifests", name));
  }
  await mkdir(join(root, "etc/kubernetes/manifests"), { recursive: true });
  await cp(
    join(here, "kubelet-services.conf"),
    join(root, "etc/systemd/system/kubelet.service.d/20-services.conf"),
  );

  await withoutResourceCapability(root);
  for (const unit of ["kubelet", "containerd", "undo-mount-hacks"])
    await systemctl("enable", `${unit}.service`);
  // binfmt registers things in the kernel, that is for the whole machine. The others have nothing to do in a
  // container, and four nodes start at once.
  const idle = ["modules-load", "remount-fs", "sysusers", "update-utmp", "update-utmp-runlevel"];
  await systemctl(
    "mask",
    "modprobe@.service",
    ...["binfmt", ...idle].map((name) => `systemd-${name}.service`),
  );
  await writeFile(join(root, "etc/systemd/journald.conf.d/kind.conf"), "[Journal]\nReadKMsg=no\n");

  // As kind does: the specification every container starts from, with the hook of kind's, no limits.
  const spec = JSON.parse(await run(log, "chroot", [root, "ctr", "oci", "spec"]));
  spec.hooks = { createContainer: [{ path: "/kind/bin/mount-product-files.sh" }] };
  delete spec.process.rlimits;
  await writeFile(join(root, "etc/containerd/cri-base.json"), JSON.stringify(spec));
}

/** Removes what a node does not use: the ingress image's packages, apt, and the units kind's Dockerfile removes. */
async function slim(log: Log, root: string): Promise<void> {
  await run(log, "chroot", [
    ...[root, "dpkg", "--purge", "--force-depends", "--force-remove-essential", ...ingressPackages],
    ...["catatonit", "busybox-static"],
  ]);
  const wants = ["etc/systemd/system", "usr/lib/systemd/system"];
  for (const dir of wants) {
    for (const name of await readdir(join(root, dir))) {
      if (!name.endsWith(".wants")) continue;
      for (const unit of await readdir(join(root, dir, name))) {
        const unwanted =
          dir.startsWith("etc") ||
          ["multi-user.target.wants", "local-fs.target.wants", "basic.target.wants"].includes(name) ||
          (name === "sockets.target.wants" && /udev|initctl/.test(unit)) ||
          (name === "sysinit.target.wants" && unit === "systemd-tmpfiles-setup.service");
        if (unwanted) await unlink(join(root, dir, name, unit));
      }
    }
  }
  // What dpkg keeps for its own work. Its list of packages stays, for scanners, and its alternatives: kind's
  // entrypoint chooses iptables by them.
  for (const path of ["var/lib/dpkg/info", "var/lib/apt", "var/cache", "var/log", "debootstrap"]) {
    await rm(join(root, path), { recursive: true, force: true });
  }
  await mkdir(join(root, "var/log/journal"), { recursive: true });
  await mkdir(join(root, "etc/systemd/journald.conf.d"), { recursive: true });
}

/**
 * Lets the same image run on machines whose root lacks CAP_SYS_RESOURCE, decided when the node starts
 * (containerd-limits) and at each container (runc), not here.
 */
async function withoutResourceCapability(root: string): Promise<void> {
  const unit = join(root, "etc/systemd/system/containerd.service");
  const lines = (await readFile(unit, "utf8")).split("\n");
  const limits = lines.filter((line) => /^(Limit|OOMScoreAdjust)/.test(line));
  if (limits.length === 0)
    throw new Error("kind's containerd.service has no limits: see offline/node/root.ts.");
  await writeFile(unit, lines.filter((line) => !limits.includes(line)).join("\n"));
  await writeFile(join(root, "kind/containerd-limits.conf"), `[Service]\n${limits.join("\n")}\n`);
  await program(join(here, "containerd-limits"), root, "usr/lib/systemd/system-generators/containerd-limits");
  // In PATH before Debian's /usr/sbin/runc.
  await program(join(here, "runc"), root, "usr/local/sbin/runc");

  // Keeps OOM scores at containerd's own where they could not be lower; changes nothing where they can.
  const config = join(root, "etc/containerd/config.toml");
  const text = await readFile(config, "utf8");
  const restricted = text.replace("restrict_oom_score_adj = false", "restrict_oom_score_adj = true");
  if (restricted === text) throw new Error("kind's containerd configuration has no restrict_oom_score_adj.");
  await writeFile(config, restricted);
}

/** One file for the node's own Kubernetes programs and for the image of them: half the size on disk. */
export async function shareKube(root: string): Promise<void> {
  for (const id of await readdir(join(root, "kind/layers"))) {
    const inImage = join(root, "kind/layers", id, "usr/local/bin/kube");
    const linked = await link(inImage, join(root, "usr/bin/kube.shared")).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    );
    if (linked) return rename(join(root, "usr/bin/kube.shared"), join(root, "usr/bin/kube"));
  }
  throw new Error("No layer of the node holds usr/local/bin/kube.");
}
