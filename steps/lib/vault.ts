import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { Unreachable, words } from "./errors.ts";
import { type Call, HttpClient } from "./http.ts";
import type { Step } from "./io.ts";
import type { Road } from "./road.ts";
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
import { VaultError } from "./vault-error.ts";

/** The longest that an ordinary request may take, in milliseconds; on two slow cores an answer takes up to 1 s. */
const requestMs = 5_000;

/** For what Vault does work for before it answers: init, the last share, join. */
export const longRequestMs = 60_000;

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
export class Vault {
  readonly node: string;
  readonly #road: Road;
  readonly #http: HttpClient;
  readonly #signal: AbortSignal;
  readonly #token: string | undefined;

  constructor(road: Road, node: string, step: Pick<Step, "signal">, token?: string) {
    this.node = node;
    this.#road = road;
    this.#signal = step.signal;
    this.#token = token;
    this.#http = new HttpClient(road.host(node), () => road.connect(node, step.signal));
  }

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

  /**
   * One call with a body, or an answer, that is no JSON and too large to be held, for as long as it goes on.
   * @param limit ends it; whoever calls sees whether anything moves
   * @returns the answer's body
   */
  async stream(
    method: Call["method"],
    path: string,
    limit: AbortSignal,
    body?: { stream: Readable; size: number },
  ): Promise<IncomingMessage> {
    const signal = AbortSignal.any([this.#signal, limit]);
    const call = { method, path: `/v1/${path}`, headers: this.#headers(), signal };
    const answer = await this.#http
      .stream(body === undefined ? call : { ...call, body })
      .catch((error) => this.#unreachable(method, path, error));
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status <= 299) return answer;
    throw this.#refusal(method, path, status, parse(await text(answer)));
  }

  close(): void {
    this.#http.close();
  }

  /**
   * One call of Vault's API, for what has no method of its own here.
   * @param answer what a success has to look like
   * @param path below /v1/
   */
  async ask<S extends z.ZodType>(
    answer: S,
    method: Call["method"],
    path: string,
    body?: object,
    timeoutMs = requestMs,
  ): Promise<z.output<S>> {
    const call: Call = {
      method,
      path: `/v1/${path}`,
      headers: this.#headers(),
      timeoutMs,
      signal: this.#signal,
    };
    const { status, body: text } = await this.#http
      .call(body === undefined ? call : { ...call, body })
      .catch((error) => this.#unreachable(method, path, error));
    const json = parse(text);
    if (status < 200 || status > 299) throw this.#refusal(method, path, status, json);
    const checked = answer.safeParse(json);
    if (checked.success) return checked.data;
    const wrong = checked.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    throw new Error(
      `${this.node} answered ${method} /v1/${path} with ${status}, but not as Vault does: ${wrong}`,
    );
  }

  #headers() {
    return { "x-vault-request": "true", ...(this.#token && { "x-vault-token": this.#token }) };
  }

  async #unreachable(method: string, path: string, error: unknown): Promise<never> {
    this.#signal.throwIfAborted();
    const why = await this.#road.whyNot(this.node, this.#signal);
    const because = why === undefined ? words(error) : `${why}; ${words(error)}`;
    throw new Unreachable(`${this.node} did not answer ${method} /v1/${path}: ${because}`);
  }

  #refusal(method: string, path: string, status: number, json: unknown): VaultError {
    const said = Refusal.safeParse(json);
    return new VaultError(this.node, method, path, status, said.success ? said.data.errors : []);
  }
}

const Refusal = z.object({ errors: z.array(z.string()) });

function parse(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
