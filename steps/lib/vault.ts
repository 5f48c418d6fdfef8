import {
  AuditDevices,
  Autopilot,
  AutopilotState,
  Engines,
  Health,
  Init,
  Leader,
  Mounts,
  Nothing,
  OwnToken,
  RaftConfiguration,
  RootGeneration,
  SealStatus,
  Stored,
} from "./vault-answers.ts";
import { longRequestMs, VaultClient } from "./vault-client.ts";

/** What `sys/storage/raft/join` is told of the leader. */
export interface JoinCall {
  leader_api_addr: string;
  leader_ca_cert?: string;
  leader_tls_servername?: string;
  retry: false;
}

/**
 * Vault's API as one node answers it. A standby forwards to the leader what it cannot answer itself.
 *
 * Every method throws VaultError with Vault's own words for an answer that is no success, and Unreachable where
 * no answer came. Neither ever holds the body that was sent.
 */
export class Vault extends VaultClient {
  /** Needs no token, and answers in every state. */
  sealStatus(): Promise<SealStatus> {
    return this.ask(SealStatus, "GET", "sys/seal-status");
  }

  /** Needs no token, and answers in every state: each state's own status code is asked to be 200. */
  health(): Promise<Health> {
    const states = ["uninit", "sealed", "standby", "haunhealthy", "removed"];
    return this.ask(Health, "GET", `sys/health?${states.map((state) => `${state}code=200`).join("&")}`);
  }

  /** Who leads from this node's point of view, and how far its raft log is. Needs no token. */
  leader(): Promise<Leader> {
    return this.ask(Leader, "GET", "sys/leader");
  }

  /**
   * Answers once in the life of a store: 400 ever after.
   * @param recovery whether the node has a seal: the shares are recovery shares then
   * @param holders to whose PGP keys (base64) Vault encrypts each share, in their order, and the root token
   */
  init(
    shares: number,
    threshold: number,
    {
      recovery = false,
      holders,
    }: { recovery?: boolean; holders?: { shares: string[]; rootToken: string } | undefined } = {},
  ): Promise<Init> {
    const body = {
      ...(recovery
        ? { recovery_shares: shares, recovery_threshold: threshold }
        : { secret_shares: shares, secret_threshold: threshold }),
      ...(holders && { pgp_keys: holders.shares, root_token_pgp_key: holders.rootToken }),
    };
    return this.ask(Init, "PUT", "sys/init", body, longRequestMs);
  }

  unseal(share: string): Promise<SealStatus> {
    return this.ask(SealStatus, "PUT", "sys/unseal", { key: share }, longRequestMs);
  }

  /** Forgets the shares sent so far. */
  resetUnseal(): Promise<SealStatus> {
    return this.ask(SealStatus, "PUT", "sys/unseal", { reset: true });
  }

  /** Answers before the node has joined: it takes the unseal, and autopilot, to make a voter of it. */
  async join(body: JoinCall): Promise<void> {
    await this.ask(Nothing, "POST", "sys/storage/raft/join", body, longRequestMs);
  }

  /** Has the leader hand over to another node at once. */
  async stepDown(): Promise<void> {
    await this.ask(Nothing, "PUT", "sys/step-down", {}, longRequestMs);
  }

  /** The servers of the raft configuration. */
  async raftServers(): Promise<RaftConfiguration["data"]["config"]["servers"]> {
    return (await this.ask(RaftConfiguration, "GET", "sys/storage/raft/configuration")).data.config.servers;
  }

  /** Takes a server out of the raft configuration; its node does not come back with the data that it has. */
  async removePeer(node: string): Promise<void> {
    await this.ask(Nothing, "POST", "sys/storage/raft/remove-peer", { server_id: node }, longRequestMs);
  }

  async autopilotState(): Promise<AutopilotState["data"]> {
    return (await this.ask(AutopilotState, "GET", "sys/storage/raft/autopilot/state")).data;
  }

  async autopilot(): Promise<Autopilot["data"]> {
    return (await this.ask(Autopilot, "GET", "sys/storage/raft/autopilot/configuration")).data;
  }

  /** Changes the named settings of autopilot, and leaves the others. */
  async setAutopilot(settings: { server_stabilization_time: string }): Promise<void> {
    await this.ask(Nothing, "POST", "sys/storage/raft/autopilot/configuration", settings);
  }

  /** The audit devices by their path, such as "file/". */
  async auditDevices(): Promise<AuditDevices["data"]> {
    return (await this.ask(AuditDevices, "GET", "sys/audit")).data;
  }

  /** Has each node write every request and answer to a file of its own, secrets in it as HMACs. */
  async enableAuditFile(path: string): Promise<void> {
    const body = { type: "file", options: { file_path: path } };
    await this.ask(Nothing, "PUT", "sys/audit/file", body, longRequestMs);
  }

  /** The paths of all secret engines and auth methods, such as "sys/" and "token/". */
  async mounts(): Promise<{ engines: string[]; auth: string[] }> {
    const engines = await this.ask(Mounts, "GET", "sys/mounts");
    const auth = await this.ask(Mounts, "GET", "sys/auth");
    return { engines: Object.keys(engines.data), auth: Object.keys(auth.data) };
  }

  /** All secret engines by their path, such as "sys/". */
  async engines(): Promise<Engines["data"]> {
    return (await this.ask(Engines, "GET", "sys/mounts")).data;
  }

  /** Mounts a kv engine of version 1. */
  async enableKv(path: string, description: string): Promise<void> {
    const body = { type: "kv", options: { version: "1" }, description };
    await this.ask(Nothing, "POST", `sys/mounts/${path}`, body);
  }

  /** Takes a secret engine away, with all that it holds; changes nothing where there is none. */
  async disableMount(path: string): Promise<void> {
    await this.ask(Nothing, "DELETE", `sys/mounts/${path}`, undefined, longRequestMs);
  }

  /** Writes into the token's own cubbyhole, which no other token can read. */
  async write(name: string, value: string): Promise<void> {
    await this.ask(Nothing, "POST", `cubbyhole/${name}`, { value });
  }

  async read(name: string): Promise<string> {
    return (await this.ask(Stored, "GET", `cubbyhole/${name}`)).data.value;
  }

  async delete(name: string): Promise<void> {
    await this.ask(Nothing, "DELETE", `cubbyhole/${name}`);
  }

  /** Whether somebody is generating a root token. */
  rootGeneration(): Promise<RootGeneration> {
    return this.ask(RootGeneration, "GET", "sys/generate-root/attempt");
  }

  /** Begins to generate a root token; gives what its shares have to name, and what the token is laid over with. */
  async beginRootGeneration(): Promise<{ nonce: string; otp: string }> {
    const { nonce, otp = "" } = await this.ask(RootGeneration, "PUT", "sys/generate-root/attempt", {});
    return { nonce, otp };
  }

  /** Gives one share. With the last one that is needed comes the token, encoded; "" before. */
  async giveRootShare(share: string, nonce: string): Promise<string> {
    const body = { key: share, nonce };
    const { encoded_token = "" } = await this.ask(
      RootGeneration,
      "PUT",
      "sys/generate-root/update",
      body,
      longRequestMs,
    );
    return encoded_token;
  }

  async cancelRootGeneration(): Promise<void> {
    await this.ask(Nothing, "DELETE", "sys/generate-root/attempt");
  }

  /** The policies of the token that is used here. */
  async ownPolicies(): Promise<string[]> {
    return (await this.ask(OwnToken, "GET", "auth/token/lookup-self")).data.policies;
  }

  /** Revokes the token that is used here. */
  async revokeSelf(): Promise<void> {
    await this.ask(Nothing, "POST", "auth/token/revoke-self", {});
  }
}
