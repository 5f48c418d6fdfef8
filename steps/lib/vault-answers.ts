import { z } from "zod";

/** Any answer, where only the success counts. */
export const Nothing = z.unknown();

/** sys/seal-status and sys/unseal. `cluster_id` is there only while unsealed. */
export const SealStatus = z.object({
  /** What unseals it: shamir for key shares, else its seal, such as transit. */
  type: z.string().default("shamir"),
  initialized: z.boolean(),
  sealed: z.boolean(),
  /** The threshold; with a seal, that of the recovery shares. 0 on a node that is not initialised. */
  t: z.number(),
  /** The number of shares. */
  n: z.number(),
  /** How many shares of the threshold have been sent. */
  progress: z.number(),
  /** Names the attempt that these shares are of; "" where none has been sent. */
  nonce: z.string().optional(),
  version: z.string(),
  /** Such as raft. */
  storage_type: z.string().optional(),
  cluster_name: z.string().optional(),
  cluster_id: z.string().optional(),
  removed_from_cluster: z.boolean().optional(),
});
export type SealStatus = z.output<typeof SealStatus>;

/** sys/leader. The raft indexes are absent while the node is sealed. */
export const Leader = z.object({
  is_self: z.boolean(),
  leader_address: z.string(),
  leader_cluster_address: z.string(),
  raft_committed_index: z.number().optional(),
  raft_applied_index: z.number().optional(),
});
export type Leader = z.output<typeof Leader>;

/** sys/health, whatever the state: `health()` asks for 200 in each. */
export const Health = z.object({
  initialized: z.boolean(),
  sealed: z.boolean(),
  standby: z.boolean(),
  /** The node's clock, in whole seconds since the epoch. */
  server_time_utc: z.number(),
  version: z.string(),
  cluster_id: z.string().optional(),
  /** Of a standby: the active node's clock less its own, in milliseconds, at the last heartbeat. */
  clock_skew_ms: z.number().optional(),
  /** Of a standby: whether its heartbeats reach the active node. */
  ha_connection_healthy: z.boolean().optional(),
  removed_from_cluster: z.boolean().optional(),
});
export type Health = z.output<typeof Health>;

/** sys/init: key shares, or with a seal recovery shares, and the root token. */
export const Init = z
  .object({
    keys_base64: z.array(z.string()),
    recovery_keys_base64: z.array(z.string()).optional(),
    root_token: z.string().min(1),
  })
  .transform(({ keys_base64, recovery_keys_base64 = [], root_token }) => ({
    shares: keys_base64.length > 0 ? keys_base64 : recovery_keys_base64,
    rootToken: root_token,
  }))
  .refine(({ shares }) => shares.length > 0, "there is no share in it");
export type Init = z.output<typeof Init>;

/** sys/storage/raft/configuration. */
export const RaftConfiguration = z.object({
  data: z.object({
    config: z.object({
      servers: z.array(
        z.object({ node_id: z.string(), address: z.string(), leader: z.boolean(), voter: z.boolean() }),
      ),
    }),
  }),
});
export type RaftConfiguration = z.output<typeof RaftConfiguration>;

/** sys/storage/raft/autopilot/state. */
export const AutopilotState = z.object({
  data: z.object({
    healthy: z.boolean(),
    failure_tolerance: z.number(),
    leader: z.string(),
    servers: z.record(
      z.string(),
      z.object({
        status: z.string(),
        healthy: z.boolean(),
        node_status: z.string(),
        last_contact: z.string(),
        last_term: z.number(),
        last_index: z.number(),
        stable_since: z.string().optional(),
      }),
    ),
  }),
});
export type AutopilotState = z.output<typeof AutopilotState>;

/** sys/storage/raft/autopilot/configuration. Durations are texts such as "10s". */
export const Autopilot = z.object({
  data: z.object({ server_stabilization_time: z.string(), last_contact_threshold: z.string() }),
});
export type Autopilot = z.output<typeof Autopilot>;

/** sys/mounts and sys/auth: mounts by their path. */
export const Mounts = z.object({ data: z.record(z.string(), z.unknown()) });

/** sys/mounts, with what each engine was described as. */
export const Engines = z.object({ data: z.record(z.string(), z.object({ description: z.string() })) });
export type Engines = z.output<typeof Engines>;

/** What `write` stored. */
export const Stored = z.object({ data: z.object({ value: z.string() }) });

/** `sys/audit`. */
export const AuditDevices = z.object({
  data: z.record(z.string(), z.object({ options: z.object({ file_path: z.string().optional() }) })),
});
export type AuditDevices = z.output<typeof AuditDevices>;

/** `sys/generate-root/attempt` and `.../update`. */
export const RootGeneration = z.object({
  started: z.boolean(),
  nonce: z.string(),
  /** Only in the answer that begins it. */
  otp: z.string().optional(),
  /** Only in the answer to the last share. */
  encoded_token: z.string().optional(),
});
export type RootGeneration = z.output<typeof RootGeneration>;

/** `auth/token/lookup-self`. */
export const OwnToken = z.object({ data: z.object({ policies: z.array(z.string()) }) });
