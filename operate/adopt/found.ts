import type { Kube } from "../../steps/lib/kube.ts";
import type { Pod } from "../../steps/lib/pod.ts";
import type { ReleaseNote } from "./release-note.ts";

/** Where a Vault is looked for. */
export interface Place {
  kube: Kube;
  namespace: string;
  signal: AbortSignal;
}

/** A node that was found. */
export interface FoundPod {
  name: string;
  pod: Pod | undefined;
  /** UID of the claim that holds its data. */
  store: string | undefined;
  initialised: boolean;
  sealed: boolean;
  /** What unseals it: shamir for key shares, else its seal. */
  seal: string;
  /** Such as raft; undefined where it did not answer. */
  storage: string | undefined;
  /** Shares that there are, and so many of them unseal it; undefined where it did not answer. */
  shares: number | undefined;
  threshold: number | undefined;
}

/** A server of the raft configuration. */
export interface FoundPeer {
  node: string;
  voter: boolean;
}

/** A volume that the StatefulSet makes for each node (volumeClaimTemplates); it cannot be changed. */
export interface FoundVolume {
  size: string;
  /** undefined: the cluster's default one. */
  storageClass: string | undefined;
}

/** A Vault that somebody has made, as it was found. All of it is public. */
export interface Found {
  release: ReleaseNote | undefined;
  /** The stack to which the namespace belongs. */
  owner: string | undefined;
  pods: FoundPod[];
  /** Asked for with a token that was given; undefined without one that is good. */
  peers: FoundPeer[] | undefined;
  /** By the names that the chart gives them: data, and audit. */
  volumes: Record<string, FoundVolume>;
  scheme: "http" | "https";
  image: string | undefined;
}
