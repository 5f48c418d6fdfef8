import type { Program } from "./path-programs.ts";
import type { Say } from "./progress.ts";

/** What has to come from package registries. */
export interface Wanted {
  /** The Pulumi CLI and its host for Node programs. */
  pulumi: boolean;
  kind: boolean;
  kubectl: boolean;
  /** The plug-in for Kubernetes. */
  plugin: boolean;
  /** The kind node image with all images in it, and the charts. */
  images: boolean;
}

/** What came. */
export interface Brought {
  pulumi?: Program;
  /** Folder of pulumi-language-nodejs and pulumi-analyzer-policy. */
  languageHosts?: string;
  kind?: Program;
  kubectl?: Program;
  /** Path of pulumi-resource-kubernetes, and its version. */
  plugin?: { path: string; version: string };
  /** Content of sources.json. */
  sources?: Record<string, unknown>;
}

/** Builds what is wanted and not yet in the store (offline/README.md says from what). */
export type ClosedWay = (wanted: Wanted, say: Say) => Promise<Brought>;
