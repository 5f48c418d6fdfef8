import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../lib/part.ts";
import { run } from "../lib/run.ts";
import { copyInto, copyWithLibraries, folders, mergeUsr, program, write } from "./folder.ts";

/** Root of every Linux image. */
export const root = { uid: 0, gid: 0 };

/** The accounts that every image here starts from; an image that needs another adds its line. */
export const passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";
export const group = "root:x:0:\nnogroup:x:65534:\n";

/**
 * The lowest layer of all images (3 MB): a shell and the usual small programs (busybox, static), accounts,
 * certificate authorities, /tmp. No layer above may have a folder named bin, sbin, lib or lib64 at its top:
 * these are links into /usr.
 */
export async function baseFolder(log: Log, debian: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await mergeUsr(to);
  await program(join(debian, "usr/bin/busybox"), to, "usr/bin/busybox");
  const applets = await run(log, "chroot", [debian, "busybox", "--list"]);
  for (const applet of applets.split("\n")) {
    if (applet !== "busybox") await symlink("busybox", join(to, "usr/bin", applet));
  }
  await write(to, "etc/passwd", passwd);
  await write(to, "etc/group", group);
  // Without it, the C library asks DNS before /etc/hosts.
  await write(to, "etc/nsswitch.conf", "hosts: files dns\n");
  await mkdir(join(to, "etc/ssl/certs"), { recursive: true });
  await run(log, "cp", [join(debian, "etc/ssl/certs/ca-certificates.crt"), join(to, "etc/ssl/certs/")]);
  await folders(to, ["root", "run", "var/run", "var/log", "usr/local/bin", "usr/local/sbin"], root);
  await folders(to, ["tmp", "var/tmp"], root, 0o1777);
}

/**
 * The layer of network tools, for kube-proxy and for the routes between nodes: iptables on nftables,
 * conntrack, curl and jq, with their libraries. (busybox's shell prefers its own applets: its `ip` serves.)
 */
export async function networkFolder(log: Log, debian: string, to: string): Promise<void> {
  const programs = [
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
  ];
  await copyWithLibraries(log, debian, to, [
    ...programs.map((name) => `/usr/sbin/${name}`),
    ...["/usr/sbin/conntrack", "/usr/sbin/nft", "/usr/bin/curl", "/usr/bin/jq"],
  ]);
  // iptables loads what it matches by from here; ldd does not see it.
  const extensions = (await run(log, "chroot", [debian, "sh", "-c", "echo /usr/lib/*/xtables"])).trim();
  await copyInto(log, join(debian, extensions), join(to, extensions));
}
