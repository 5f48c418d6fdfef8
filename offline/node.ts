import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  containerd,
  coredns,
  etcd,
  ingressNginx,
  kind,
  kubernetes,
  localPathProvisioner,
  rclone,
  traefik,
  vault,
  whoami,
} from "./go.ts";
import { allImages, type ImagesFrom } from "./images/all.ts";
import { packLayer, writeArchive } from "./images/archive.ts";
import { PATH } from "./images/folder.ts";
import { kubernetesImages, kubernetesVersion } from "./images/names.ts";
import type { Log, Part } from "./lib/part.ts";
import { run } from "./lib/run.ts";
import { Store } from "./lib/store.ts";
import { debian } from "./node/debian.ts";
import { preload } from "./node/preload.ts";
import { nodeRoot, shareKube } from "./node/root.ts";

/** Absolute paths of the programs and files that the node image is made from. */
export interface NodeImageFrom extends Omit<ImagesFrom, "debian"> {
  /** Debian's root as a tar file. */
  debianTar: string;
  /** Folder with containerd, ctr and containerd-shim-runc-v2. */
  containerd: string;
  /** The kind module's images/base/files. */
  kindFiles: string;
}

/**
 * The kind node image: Debian, kind's files, containerd, Kubernetes, and in its containerd every image that the
 * cluster and the stack use, so that nothing is loaded when a cluster is made. Its folder holds `image.tar` (as
 * of `docker save`, without a name) and `id` ("sha256:...").
 */
export const nodeImage: Part = {
  name: "node-image",
  says: `kind node image of Kubernetes ${kubernetesVersion} with all images in it`,
  needs: [
    debian,
    whoami,
    kind,
    kubernetes,
    etcd,
    coredns,
    localPathProvisioner,
    ingressNginx,
    traefik,
    rclone,
    containerd,
    vault,
  ],
  inputs: ["offline/node", "offline/images", "offline/node.ts"],
  recipe: "1",
  heavy: false,
  make: ({ out, from, log }) =>
    makeNodeImage(
      {
        debianTar: join(from(debian), "rootfs.tar"),
        kindFiles: join(from(kind), "base-files"),
        kube: join(from(kubernetes), "kube"),
        containerd: from(containerd),
        etcd: join(from(etcd), "etcd"),
        coredns: join(from(coredns), "coredns"),
        localPathProvisioner: join(from(localPathProvisioner), "local-path-provisioner"),
        vault: join(from(vault), "vault"),
        traefik: join(from(traefik), "traefik"),
        rclone: join(from(rclone), "rclone"),
        whoami: join(from(whoami), "whoami"),
        ingress: from(ingressNginx),
        ingressEtc: join(from(ingressNginx), "rootfs-etc"),
      },
      out,
      log,
    ),
};

/** Makes the image of these parts into the empty folder `out`, in half a minute. */
export async function makeNodeImage(from: NodeImageFrom, out: string, log: Log): Promise<void> {
  const work = join(out, "work");
  const layers = join(work, "layers");
  const root = join(work, "node");
  for (const dir of [layers, root]) await mkdir(dir, { recursive: true });

  await run(log, "tar", ["-C", root, "--xattrs", "--numeric-owner", "-xpf", from.debianTar]);
  await checkImageNames(log, from.kube);
  const images = await allImages(log, { ...from, debian: root }, layers);
  await writeArchive(log, images, join(work, "images.tar"));
  await nodeRoot(log, from, root);
  const blobs = new Set(images.flatMap((image) => image.layers.map((layer) => layer.sha256)));
  await preload(log, root, join(work, "images.tar"), [...blobs]);
  await shareKube(root);

  const layer = await packLayer(log, root, join(work, "node.tar"));
  // As the end of kind's images/base/Dockerfile: systemd learns by `container` where it runs, and ends on this
  // signal.
  const config = {
    Env: [PATH, "container=docker"],
    StopSignal: "SIGRTMIN+3",
    Entrypoint: ["/usr/local/bin/entrypoint", "/sbin/init"],
  };
  const [id] = await writeArchive(log, [{ tags: [], layers: [layer], config }], join(work, "image.tar"));
  await rename(join(work, "image.tar"), join(out, "image.tar"));
  await writeFile(join(out, "id"), `${id}\n`);
  await rm(work, { recursive: true });
}

/** kubeadm must find each image it will name: another version of Kubernetes names others. */
async function checkImageNames(log: Log, kube: string): Promise<void> {
  const wanted = await run(log, kube, [
    ...["kubeadm", "config", "images", "list", "--kubernetes-version", kubernetesVersion],
  ]);
  const made: string[] = Object.values(kubernetesImages).flat();
  const missing = wanted.split("\n").filter((name) => !made.includes(name));
  if (missing.length > 0) {
    throw new Error(
      `kubeadm asks for images that are not made: ${missing.join(", ")}. See offline/images/names.ts.`,
    );
  }
}

/** Name of the node image in Docker. It has the part's key, so another content has another name. */
export function nodeImageName(store: Store = new Store()): string {
  return `vault-ha/node:${kubernetesVersion}-${store.key(nodeImage)}`;
}

/**
 * Brings the finished node image from the store into Docker, unless Docker has it, and gives its name.
 * Docker is the one that `docker` on PATH reaches.
 */
export async function loadNodeImage(log: Log, store: Store = new Store()): Promise<string> {
  const name = nodeImageName(store);
  const listed = await run(log, "docker", ["image", "ls", "--quiet", name]);
  if (listed !== "") return name;
  const folder = store.path(nodeImage);
  await run(log, "docker", ["image", "load", "--quiet", "--input", join(folder, "image.tar")]);
  const id = (await readFile(join(folder, "id"), "utf8")).trim();
  await run(log, "docker", ["image", "tag", id, name]);
  return name;
}
