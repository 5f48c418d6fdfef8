import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Log } from "../lib/part.ts";
import { type Image, type ImageConfig, type Layer, packLayer } from "./archive.ts";
import { baseFolder, group, networkFolder, passwd } from "./base.ts";
import { folders, PATH, program, write } from "./folder.ts";
import { ingressFolder } from "./ingress.ts";
import { kubernetesImages, names } from "./names.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Absolute paths of what the images are made from. */
export interface ImagesFrom {
  /** Unpacked Debian root, writable. */
  debian: string;
  kube: string;
  etcd: string;
  coredns: string;
  localPathProvisioner: string;
  vault: string;
  traefik: string;
  rclone: string;
  whoami: string;
  /** Folder with nginx-ingress-controller, dbg and wait-shutdown. */
  ingress: string;
  /** rootfs/etc of the ingress-nginx module. */
  ingressEtc: string;
}

/** Account of Vault in its official image; the chart runs it as 100:1000. */
const vaultUser = { uid: 100, gid: 1000 };

/**
 * Makes every image that a node starts with, in one pass over the Debian root. Most are one program on the
 * shared base layer, so a node holds each byte once. `work` is an empty folder for the layers.
 */
export async function allImages(log: Log, from: ImagesFrom, work: string): Promise<Image[]> {
  const layer = async (name: string, fill: (folder: string) => Promise<void>): Promise<Layer> => {
    const folder = join(work, name);
    await fill(folder);
    return packLayer(log, folder, join(work, `${name}.tar`));
  };
  const image = (tags: string[], layers: Layer[], config: ImageConfig = {}): Image => ({
    tags,
    layers,
    config: { Env: [PATH], ...config },
  });
  const withProgram = (name: string, file: string) =>
    layer(name, (folder) => program(file, folder, `usr/local/bin/${name}`));

  const base = await layer("base", (folder) => baseFolder(log, from.debian, folder));
  const network = await layer("network", (folder) => networkFolder(log, from.debian, folder));
  const kube = await layer("kube", (folder) => kubeFolder(from.kube, folder));
  const pause = await layer("pause", (folder) =>
    program(join(from.debian, "usr/bin/catatonit"), folder, "pause"),
  );
  const ingress = await layer("ingress", (folder) =>
    ingressFolder(
      log,
      {
        debian: from.debian,
        programs: from.ingress,
        etc: from.ingressEtc,
        lua: join(here, "ingress/lua"),
      },
      folder,
    ),
  );
  return [
    image(kubernetesImages.kube, [base, network, kube]),
    image(kubernetesImages.etcd, [base, await withProgram("etcd", from.etcd)]),
    image(kubernetesImages.coredns, [base, await withProgram("coredns", from.coredns)], {
      Entrypoint: ["/usr/local/bin/coredns"],
    }),
    // catatonit's -P is what a pod's first process has to do: reap what is left behind, and end when told to.
    image(kubernetesImages.pause, [pause], { Entrypoint: ["/pause", "-P"] }),
    image([names.base], [base], { Cmd: ["/bin/sh"] }),
    image([names.routes], [base, network]),
    image(
      [names.localPathProvisioner],
      [base, await withProgram("local-path-provisioner", from.localPathProvisioner)],
    ),
    image([names.vault], [base, await layer("vault", (folder) => vaultFolder(from.vault, folder))], {
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["server", "-dev"],
    }),
    image([names.ingressController], [base, ingress], {
      User: "101",
      WorkingDir: "/etc/nginx",
      Entrypoint: ["/usr/bin/dumb-init", "--"],
      Cmd: ["/nginx-ingress-controller"],
    }),
    image([names.traefik], [base, await withProgram("traefik", from.traefik)], {
      User: "65532",
      Entrypoint: ["/usr/local/bin/traefik"],
    }),
    image([names.rclone], [base, await withProgram("rclone", from.rclone)], {
      User: "65534",
      Entrypoint: ["/usr/local/bin/rclone"],
    }),
    image([names.whoami], [base, await withProgram("whoami", from.whoami)], {
      User: "65534",
      Entrypoint: ["/usr/local/bin/whoami"],
    }),
  ];
}

/** One program is every Kubernetes component, by the name it is called by. */
async function kubeFolder(kube: string, folder: string): Promise<void> {
  await program(kube, folder, "usr/local/bin/kube");
  for (const name of ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"]) {
    await symlink("kube", join(folder, "usr/local/bin", name));
  }
}

/** Vault where the chart looks for it: /bin/vault, docker-entrypoint.sh, and folders of its account. */
async function vaultFolder(vault: string, folder: string): Promise<void> {
  await program(vault, folder, "usr/bin/vault");
  const entrypoint = await readFile(join(here, "vault/docker-entrypoint.sh"), "utf8");
  await write(folder, "usr/local/bin/docker-entrypoint.sh", entrypoint, 0o755);
  await write(folder, "etc/passwd", `${passwd}vault:x:100:1000::/home/vault:/bin/sh\n`);
  await write(folder, "etc/group", `${group}vault:x:1000:\n`);
  await folders(
    folder,
    ["home/vault", ...["data", "config", "logs", "file"].map((n) => `vault/${n}`), "vault"],
    vaultUser,
  );
}
