import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ingressPackages } from "../images/ingress.ts";
import type { Log, Part } from "../lib/part.ts";
import { run } from "../lib/run.ts";

/** Debian 12. The changes to nginx's template (images/ingress/template.ts) are for its nginx 1.22. */
const suite = "bookworm";

/** What a kind node needs, after the list in kind's images/base/Dockerfile; without storage over the network. */
const nodePackages = [
  ...["systemd", "systemd-sysv", "runc", "containernetworking-plugins"],
  ...["conntrack", "iptables", "nftables", "iproute2", "ethtool", "util-linux", "mount", "kmod", "procps"],
  ...["bash", "ca-certificates", "curl", "jq"],
];

/** What the images are made of: the shell of all of them, the pause program, a tool of the build. */
const imagePackages = ["busybox-static", "catatonit", "libcap2-bin"];

const packages = [...nodePackages, ...imagePackages, ...ingressPackages];

/**
 * One Debian root, as `rootfs.tar`, from which both the node and the images take their files: 1 to 2 minutes,
 * most of it dpkg. It is a tar and not a folder because it has programs with the setuid bit.
 */
export const debian: Part = {
  name: "debian",
  says: `Debian ${suite} with systemd, runc and nginx`,
  needs: [],
  inputs: [],
  recipe: JSON.stringify({ version: 1, suite, packages }),
  heavy: false,
  async make({ out, log }) {
    await checkMachine();
    const root = join(out, "rootfs");
    await mkdir(root);
    await run(log, "debootstrap", [
      ...["--variant=minbase", "--foreign", `--include=${packages.join(",")}`, suite, root],
      ...(await mirror(log)),
    ]);
    // dpkg must not wait for the disk after every file (the folder is thrown away if this fails), and what
    // nobody reads in a container need not be unpacked.
    await mkdir(join(root, "etc/dpkg/dpkg.cfg.d"), { recursive: true });
    await writeFile(
      join(root, "etc/dpkg/dpkg.cfg.d/vault-ha"),
      [
        "force-unsafe-io",
        ...["doc", "man", "locale"].map((name) => `path-exclude=/usr/share/${name}/*`),
        "",
      ].join("\n"),
    );
    await run(log, "chroot", [root, "/debootstrap/debootstrap", "--second-stage"], {
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    });
    for (const path of [
      "var/cache/apt",
      "var/lib/apt/lists",
      "usr/share/doc",
      "usr/share/man",
      "usr/share/locale",
    ]) {
      await rm(join(root, path), { recursive: true, force: true });
    }
    await run(log, "tar", ["-C", root, "--numeric-owner", "--xattrs", "-cf", join(out, "rootfs.tar"), "."]);
    await rm(root, { recursive: true });
  },
};

async function checkMachine(): Promise<void> {
  const problems: string[] = [];
  if (process.getuid?.() !== 0) {
    problems.push(
      "Building the node image takes root (debootstrap, chroot). Run as root: sudo npm run setup",
    );
  }
  if (!["/usr/sbin/debootstrap", "/usr/bin/debootstrap"].some(existsSync)) {
    problems.push("debootstrap is not installed. Install it: apt-get install debootstrap");
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** The Debian archive that this machine's apt uses; none leaves the choice to debootstrap. */
async function mirror(log: Log): Promise<string[]> {
  const targets = await run(log, "apt-get", [
    ...["indextargets", "Created-By: Packages", "Origin: Debian", "Label: Debian"],
    ...["--format", "$(REPO_URI)"],
  ]).catch(() => "");
  const first = targets.split("\n").find((uri) => /^https?:/.test(uri));
  return first === undefined ? [] : [first];
}
