/** A real server of S3's protocol, on this machine: Versity's gateway, which keeps objects as files. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { buildParts } from "../../offline/lib/build-parts.ts";
import { goPart } from "../../offline/lib/go-part.ts";
import { Store } from "../../offline/lib/store.ts";
import { freePorts } from "./free-ports.ts";

/** For tests alone: no set-up builds it. A minute and a half on two cores. */
const gateway = goPart({
  name: "versitygw",
  says: "Versity's S3 gateway 1.8.0",
  folder: "versitygw",
  programs: [
    {
      name: "versitygw",
      package: "github.com/versity/versitygw/cmd/versitygw",
      variables: { "main.Version": "1.8.0" },
    },
  ],
});

/** The program's path. Built where it is not there yet. */
async function gatewayProgram(): Promise<string> {
  const store = new Store();
  await buildParts([gateway], { store });
  return `${store.path(gateway)}/versitygw`;
}

/** A key of the server. */
export interface Key {
  id: string;
  secret: string;
}

const region = "us-east-1";

export class S3Server {
  readonly endpoint: string;
  readonly root: Key = { id: "rootkey", secret: "rootsecret" };
  readonly #folder: string;
  readonly #program: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, program: string, endpoint: string) {
    this.#folder = folder;
    this.#program = program;
    this.endpoint = endpoint;
  }

  /** Starts one that keeps everything in `folder`, and waits until it answers. */
  static async start(folder: string, address = "127.0.0.1"): Promise<S3Server> {
    const program = await gatewayProgram();
    const [port] = await freePorts(1);
    const server = new S3Server(folder, program, `http://${address}:${port}`);
    for (const name of ["objects", "accounts", "versions"])
      await mkdir(join(folder, name), { recursive: true });
    await server.resume();
    return server;
  }

  /** Starts it again after `end`. */
  async resume(): Promise<void> {
    const child = spawn(
      this.#program,
      [
        ...["--port", this.endpoint.replace("http://", ""), "--region", region, "--quiet"],
        ...["--iam-dir", join(this.#folder, "accounts")],
        ...["posix", "--versioning-dir", join(this.#folder, "versions"), join(this.#folder, "objects")],
      ],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ROOT_ACCESS_KEY: this.root.id, ROOT_SECRET_KEY: this.root.secret },
      },
    );
    this.#child = child;
    const log = createWriteStream(join(this.#folder, "log"), { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    for (const began = Date.now(); Date.now() - began < 20_000; await sleep(50)) {
      if (child.exitCode !== null) break;
      if (await this.send("GET", "/").catch(() => undefined)) return;
    }
    throw new Error(
      `the S3 server does not answer at ${this.endpoint}:\n${await readFile(join(this.#folder, "log"), "utf8")}`,
    );
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGTERM");
    await gone;
  }

  /** Makes a bucket, and gives another key the rights of a policy in it: its statements without a principal. */
  async makeBucket(name: string, allowed?: { key: Key; statements: readonly object[] }): Promise<void> {
    await this.send("PUT", `/${name}`);
    if (allowed === undefined) return;
    const { key, statements } = allowed;
    const root = ["--access", this.root.id, "--secret", this.root.secret, "--endpoint-url", this.endpoint];
    const made = ["create-user", "--access", key.id, "--secret", key.secret, "--role", "user"];
    await execa(this.#program, ["admin", ...root, ...made]);
    const Statement = statements.map((each) => ({ ...each, Principal: { AWS: [key.id] } }));
    await this.send("PUT", `/${name}?policy=`, JSON.stringify({ Version: "2012-10-17", Statement }));
  }

  /** The names of a bucket's objects, as they lie on the disk. */
  async objects(bucket: string): Promise<string[]> {
    const listed = await readdir(this.path(bucket), { recursive: true, withFileTypes: true });
    return listed
      .filter((each) => each.isFile())
      .map((each) => join(each.parentPath, each.name).slice(this.path(bucket).length + 1))
      .filter((name) => !name.startsWith("."))
      .sort();
  }

  /** Where an object lies on the disk. */
  path(bucket: string, object = ""): string {
    return join(this.#folder, "objects", bucket, object);
  }

  /**
   * One request as root, signed (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
   * Throws for any answer but a good one.
   */
  async send(method: string, path: string, body = ""): Promise<string> {
    const { host, pathname, search } = new URL(path, this.endpoint);
    const at = `${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`;
    const hash = (text: string) => createHash("sha256").update(text).digest("hex");
    const headers = { host, "x-amz-content-sha256": hash(body), "x-amz-date": at };
    const names = Object.keys(headers).join(";");
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    const asked = [method, pathname, search.slice(1), lines.join(""), names, hash(body)].join("\n");
    const scope = `${at.slice(0, 8)}/${region}/s3/aws4_request`;
    const key = scope
      .split("/")
      .reduce<string | Buffer>(
        (secret, part) => createHmac("sha256", secret).update(part).digest(),
        `AWS4${this.root.secret}`,
      );
    const toSign = ["AWS4-HMAC-SHA256", at, scope, hash(asked)].join("\n");
    const signature = createHmac("sha256", key).update(toSign).digest("hex");
    const authorization = `AWS4-HMAC-SHA256 Credential=${this.root.id}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    const response = await fetch(`${this.endpoint}${path}`, {
      method,
      headers: { ...headers, authorization },
      ...(body && { body }),
      signal: AbortSignal.timeout(10_000),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answer}`);
    return answer;
  }
}
