/**
 * Where charts and images come from. `npm run setup` writes .local/sources.json;
 * without that file everything comes from its official place.
 */
import { existsSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";

const chart = z.strictObject({
  /** A chart's name in `repo`, or the path of its folder. */
  chart: z.string(),
  version: z.string().optional(),
  repo: z.string().optional(),
});

const sourcesSchema = z.strictObject({
  /** "closed": the node image holds every image already; "official": the cluster pulls them. */
  images: z.enum(["official", "closed"]),
  /** The kind node image; undefined = the one that kind itself names. */
  nodeImage: z.string().optional(),
  vault: chart.extend({ image: z.strictObject({ repository: z.string(), tag: z.string() }) }),
  ingressNginx: chart.extend({ values: z.record(z.string(), z.unknown()) }),
  traefik: z.strictObject({ image: z.string() }),
  rclone: z.strictObject({ image: z.string() }),
  whoami: z.strictObject({ image: z.string() }),
});

export type Sources = z.output<typeof sourcesSchema>;
export type ChartSource = z.output<typeof chart>;

/**
 * The official places. Vault 2.0.0 and 2.0.1 are never used: their capabilities are wrong in containers.
 * ingress-nginx retired in March 2026; 4.15.1 is its last chart.
 */
export const officialSources: Sources = {
  images: "official",
  vault: {
    chart: "vault",
    version: "0.34.1",
    repo: "https://helm.releases.hashicorp.com",
    image: { repository: "hashicorp/vault", tag: "2.0.4" },
  },
  ingressNginx: {
    chart: "ingress-nginx",
    version: "4.15.1",
    repo: "https://kubernetes.github.io/ingress-nginx",
    values: {},
  },
  traefik: { image: "traefik:v3.7.13" },
  rclone: {
    image: "rclone/rclone:1.75.1@sha256:45401ad7410db1d67ffdb58e19059ad20b0d8e0285a60e38bbec55cc1019c7a5",
  },
  whoami: { image: "traefik/whoami:v1.11.0" },
};

/** The sources of this checkout. A file that cannot be read is an error that names the command to write it anew. */
export function loadSources(path = ".local/sources.json"): Sources {
  if (!existsSync(path)) return officialSources;
  try {
    return sourcesSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new pulumi.RunError(`${path} cannot be used: ${(error as Error).message}\n  npm run setup`);
  }
}
