/** What a judgement is made from: plain data, gathered before (gather.ts). */
import type { Values } from "../../components/values-file.ts";
import type { SealSeen } from "../../components/vault-seal.ts";
import type { Settings } from "../../config.ts";
import type { VolumeTemplate } from "../views/volume-templates.ts";
import type { Change } from "./change.ts";

/** One node of the running Vault. What is not known of it is absent. */
export interface RunningNode {
  name: string;
  sealed?: boolean;
  /** What unseals it by itself, such as transit; absent where key shares do. */
  seal?: string;
  leads?: boolean;
  /** Whether it was made from an older template than its StatefulSet has now. */
  outdated?: boolean;
  /** Which Vault it runs. */
  version?: string;
}

/** The running Vault, as it was asked just now. */
export interface Running {
  nodes: RunningNode[];
  /** How many shares its key is split into, and how many unseal it. */
  key?: { shares: number; threshold: number };
  /** The seal that the nodes have in the cluster, where that was asked. */
  seal?: SealSeen;
  /** Absent: not known. None: there is no StatefulSet. */
  volumes?: VolumeTemplate[];
  /** What could not be found out, a sentence each. */
  unknown: string[];
}

/** What a stack's Vault is known by. */
export interface KnownVault {
  /** Vault's own id; absent where no run came so far as to pin it. */
  clusterId?: string;
  /** UID of each pod's store. */
  stores: Record<string, string>;
}

export interface Plan {
  stack: string;
  stackDir: string;
  changes: readonly Change[];
  /** Vault's release; undefined where the state has none. */
  release: ReleasePlan | undefined;
  /** The settings that the preview was made with. */
  settings: Settings;
  /** undefined: this stack has initialised none yet, so there is nothing to lose. */
  vault: KnownVault | undefined;
  running: Running;
  /** What makes the kind cluster another one, such as "cluster.ports.http: 8080 -> 80". */
  clusterCauses: readonly string[];
  commands: PlanCommands;
}

/**
 * Vault's release as the state has it, and as the settings want it. Not from the preview: what waits for something that
 * is not made yet is unknown there.
 */
export interface ReleasePlan {
  before: Values;
  after: Values;
}

/** Commands of this stack, to be typed. */
export interface PlanCommands {
  up: string;
  down: string;
  kubectl(command: string): string;
  /** Takes a snapshot, whose keys stay beside it where the stack ends. */
  snapshot(): string[];
  /** Gives identities up, beside those that are given up already. */
  giveUp(lost: readonly string[]): string;
}
