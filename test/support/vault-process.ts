import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./free-ports.ts";

/** How a node serves its API. */
export interface Tls {
  caCert: string;
  cert: string;
  key: string;
}

export interface NodeOptions {
  tls?: Tls;
  /** autopilot_reconcile_interval and autopilot_update_interval; Vault's own are 10s and 2s. */
  reconcile?: { interval: string; update: string };
  /** The stanza `telemetry`, and the listener's. */
  telemetry?: { whole: object; listener: object };
  /** The stanza `seal` by its type, and the environment with what it logs in with. */
  seal?: { stanza: Record<string, object>; env: Record<string, string> };
  /** Another program than the `vault` on PATH. */
  program?: string;
}

/** Frequent enough that promotions take seconds, so that the tests do not wait for autopilot's 10 s tick. */
const quickAutopilot = { interval: "1s", update: "500ms" };

/** A real `vault server` on loopback with raft storage in a folder of its own. */
export class VaultProcess {
  readonly name: string;
  readonly folder: string;
  address: string;
  /** Where the nodes speak Raft with this one. */
  clusterAddress = "";
  /** The program that its next start runs. */
  program = "vault";
  /** What its next start has in its environment beside this process's own. */
  env: Record<string, string> = {};
  /** What names its store, as a PVC's UID does. A blank store has another one. */
  store = 1;
  #child: ChildProcess | undefined;

  #caCert: string | undefined;

  private constructor(name: string, folder: string, address: string, caCert?: string) {
    this.#caCert = caCert;
    this.name = name;
    this.folder = folder;
    this.address = address;
  }

  /** Prepares a node's folder and ports; `start` runs it. */
  static async prepare(name: string, parent: string, options: NodeOptions = {}): Promise<VaultProcess> {
    const folder = join(parent, name);
    await mkdir(join(folder, "data"), { recursive: true });
    const [api, cluster] = await freePorts(2);
    const { tls, telemetry, seal, reconcile = quickAutopilot } = options;
    const scheme = tls ? "https" : "http";
    const files = tls && (await writeCertificate(folder, tls));
    const address = `${scheme}://127.0.0.1:${api}`;
    const config = {
      disable_mlock: true,
      ...(telemetry && { telemetry: telemetry.whole }),
      ...(seal && { seal: [seal.stanza] }),
      api_addr: address,
      cluster_addr: `https://127.0.0.1:${cluster}`,
      listener: [
        {
          tcp: {
            address: `127.0.0.1:${api}`,
            cluster_address: `127.0.0.1:${cluster}`,
            ...(files ?? { tls_disable: true }),
            ...(telemetry && { telemetry: [telemetry.listener] }),
          },
        },
      ],
      storage: {
        raft: {
          path: join(folder, "data"),
          node_id: name,
          performance_multiplier: "1",
          autopilot_reconcile_interval: reconcile.interval,
          autopilot_update_interval: reconcile.update,
        },
      },
    };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const prepared = new VaultProcess(name, folder, address, tls?.caCert);
    prepared.clusterAddress = `127.0.0.1:${cluster}`;
    prepared.env = seal?.env ?? {};
    if (options.program !== undefined) prepared.program = options.program;
    return prepared;
  }

  get logFile(): string {
    return join(this.folder, "vault.log");
  }

  /** Its process, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the server and waits until its API answers. */
  async start(): Promise<void> {
    const child = spawn(this.program, ["server", `-config=${join(this.folder, "config.json")}`], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.env },
    });
    this.#child = child;
    const log = createWriteStream(this.logFile, { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    let failure: unknown;
    child.on("error", (error) => {
      failure = error;
    });
    // The listener opens before the API answers, and raft storage is set up in between.
    for (const began = Date.now(); Date.now() - began < 20_000; await sleep(50)) {
      if (failure) throw new Error("cannot start vault; is it on PATH?", { cause: failure });
      if (child.exitCode !== null) break;
      if ((await this.get("sys/seal-status").catch(() => undefined)) !== undefined) return;
    }
    throw new Error(`${this.name} does not answer at ${this.address}:\n${await this.log()}`);
  }

  /** Ends the server and waits until it is gone. KILL leaves it no time to hand over. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    this.#child = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Gives it another certificate, which it reads without a restart. */
  async serve(certificate: Pick<Tls, "cert" | "key">): Promise<void> {
    await writeCertificate(this.folder, certificate);
    this.#child?.kill("SIGHUP");
  }

  /** Has it speak HTTPS from its next start on. */
  async turnTlsOn(tls: Tls): Promise<void> {
    const path = join(this.folder, "config.json");
    const config = JSON.parse(await readFile(path, "utf8"));
    const files = await writeCertificate(this.folder, tls);
    this.address = this.address.replace(/^http:/, "https:");
    this.#caCert = tls.caCert;
    config.api_addr = this.address;
    const { tls_disable: _, ...listener } = config.listener[0].tcp;
    config.listener[0].tcp = { ...listener, ...files };
    await writeFile(path, JSON.stringify(config));
  }

  /** Has it be unsealed by a seal from its next start on, once it is migrated. */
  async sealBy({ stanza, env }: Required<NodeOptions>["seal"]): Promise<void> {
    const path = join(this.folder, "config.json");
    const config = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...config, seal: [stanza] }));
    this.env = env;
  }

  /** Stops the process from running (SIGSTOP): it keeps its connections and answers nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Gives the node a blank store, as a new PVC does. */
  async blank(): Promise<void> {
    await this.stop();
    await rm(join(this.folder, "data"), { recursive: true });
    await mkdir(join(this.folder, "data"));
    this.store++;
    await this.start();
  }

  async get(path: string, token?: string): Promise<Record<string, unknown>> {
    return this.send("GET", path, undefined, token);
  }

  /** One API call; throws for any answer but 2xx. */
  async send(method: string, path: string, body?: object, token?: string): Promise<Record<string, unknown>> {
    const headers = token === undefined ? {} : { "x-vault-token": token };
    const url = new URL(`/v1/${path}`, this.address);
    const signal = AbortSignal.timeout(10_000);
    const call = this.#caCert
      ? httpsRequest(url, {
          method,
          headers,
          signal,
          ca: this.#caCert,
          servername: `${this.name}.vault-internal`,
        })
      : request(url, { method, headers, signal });
    call.end(body === undefined ? undefined : JSON.stringify(body));
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    const status = answer.statusCode ?? 0;
    const text = Buffer.concat(await answer.toArray()).toString();
    if (status < 200 || status > 299) throw new Error(`${this.name}: ${method} ${path}: ${status} ${text}`);
    return text === "" ? {} : JSON.parse(text);
  }

  /** The last lines of its log. */
  async log(lines = 40): Promise<string> {
    const all = await readFile(this.logFile, "utf8").catch(() => "(no log)");
    return all.split("\n").slice(-lines).join("\n");
  }
}

/** Writes a node's certificate and key, and gives what its listener's configuration says of them. */
async function writeCertificate(folder: string, { cert, key }: Pick<Tls, "cert" | "key">) {
  const files = { tls_cert_file: join(folder, "cert.pem"), tls_key_file: join(folder, "key.pem") };
  await writeFile(files.tls_cert_file, cert);
  await writeFile(files.tls_key_file, key, { mode: 0o600 });
  return files;
}
