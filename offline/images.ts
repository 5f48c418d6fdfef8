import { randomBytes } from "node:crypto";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ingressNginx } from "./go.ts";
import { names } from "./images/names.ts";
import { Store } from "./lib/store.ts";
import { nodeImageName } from "./node.ts";

/** Where the ingress chart is put, in the checkout. Helm wants a folder, and the store is not in the checkout. */
export const ingressChart = ".local/charts/ingress-nginx";

/**
 * Content of sources.json where everything comes from package registries: names of the images that the node
 * image holds, charts as folders of the checkout.
 */
export function closedSources(store: Store = new Store()) {
  const vault = split(names.vault);
  const controller = split(names.ingressController);
  return {
    images: "closed",
    nodeImage: nodeImageName(store),
    vault: {
      chart: "./offline/charts/vault",
      image: { ...vault, repository: vault.repository.replace("docker.io/", "") },
    },
    ingressNginx: {
      chart: `./${ingressChart}`,
      values: {
        controller: {
          image: { ...controller, digest: "", pullPolicy: "IfNotPresent" },
          // Debian's nginx stands on the C library, and the chart would load an allocator that is not in the image.
          enableMimalloc: false,
        },
      },
    },
    traefik: { image: names.traefik.replace("docker.io/", "") },
    rclone: { image: names.rclone.replace("docker.io/", "") },
    whoami: { image: names.whoami.replace("docker.io/", "") },
  };
}

function split(name: string): { repository: string; tag: string } {
  const colon = name.lastIndexOf(":");
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** Puts the chart that came with the ingress controller's module into the checkout, in the place of an older one. */
export async function unpackIngressChart(store: Store = new Store()): Promise<void> {
  const to = join(store.checkout, ingressChart);
  await mkdir(dirname(to), { recursive: true });
  const temporary = `${to}.${randomBytes(6).toString("hex")}`;
  await cp(join(store.path(ingressNginx), "chart"), temporary, { recursive: true });
  await rm(to, { recursive: true, force: true });
  await rename(temporary, to);
}
