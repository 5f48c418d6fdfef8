import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { z } from "zod";
import { StepError, Unreachable, words } from "./errors.ts";
import { isKubeconfigText } from "./target.ts";

/** The Kubernetes API of one cluster. */
export interface Kube {
  /** Its address, such as https://127.0.0.1:6443. */
  server: string;
  /** Credentials and trust for a connection to it. */
  options(): Promise<RequestOptions>;
  /** One GET; undefined where the object does not exist. Throws Unreachable where no answer came in time. */
  get<S extends z.ZodType>(path: string, schema: S, signal: AbortSignal): Promise<z.output<S> | undefined>;
  /** One GET of what is no JSON, such as a log. Throws Unreachable where it is not given. */
  text(path: string, signal: AbortSignal): Promise<string>;
  /** One POST; gives what Kubernetes made of the object. Throws Unreachable where it is not made. */
  create<S extends z.ZodType>(
    path: string,
    object: object,
    schema: S,
    signal: AbortSignal,
  ): Promise<z.output<S>>;
  /** Changes the named fields of an object (JSON merge patch). Throws Unreachable where it is not changed. */
  patch(path: string, fields: object, signal: AbortSignal): Promise<void>;
  /** Deletes an object; one that does not exist is no error. Throws Unreachable where it is not deleted. */
  delete(path: string, signal: AbortSignal): Promise<void>;
}

/** An answer of the Kubernetes API other than the object, in its own words. */
export class KubeRefusal extends Unreachable {
  readonly status: number;
  constructor(asked: string, status: number, words: string) {
    super(`the Kubernetes API answered ${asked} with ${status}: ${words}`);
    this.name = "KubeRefusal";
    this.status = status;
  }
}

/** The longest that one request may take, in milliseconds. */
const getMs = 10_000;

/**
 * Opens the cluster of a kubeconfig's current context.
 *
 * A kubeconfig with plain certificates or a token (kind's, for one) is read here. Any other (a login program,
 * OIDC, a proxy) goes through @kubernetes/client-node's KubeConfig, which knows them all, but takes half a second
 * of CPU to load, in each of a run's nine steps.
 *
 * @param kubeconfig path of the file, or its text
 */
export async function openKube(kubeconfig: string): Promise<Kube> {
  const access = await accessOf(kubeconfig);
  const ask = async (
    method: "GET" | "DELETE" | "PATCH" | "POST",
    path: string,
    signal: AbortSignal,
    body?: object,
  ) => {
    const options = await access.options();
    const headers = {
      accept: "application/json",
      ...(body && {
        "content-type": method === "POST" ? "application/json" : "application/merge-patch+json",
      }),
      ...options.headers,
    };
    const url = new URL(access.server + path);
    return await fetchText(url, { ...options, method, headers }, signal, body).catch((error) => {
      signal.throwIfAborted();
      throw new Unreachable(
        `the Kubernetes API at ${access.server} did not answer ${method} ${path}: ${words(error)}`,
      );
    });
  };
  return {
    ...access,
    get: async (path, schema, signal) => {
      const { status, body } = await ask("GET", path, signal);
      if (status === 404) return undefined;
      if (status === 200) return schema.parse(JSON.parse(body));
      throw new KubeRefusal(`GET ${path}`, status, message(body));
    },
    text: async (path, signal) => {
      const { status, body } = await ask("GET", path, signal);
      if (status === 200) return body;
      throw new KubeRefusal(`GET ${path}`, status, message(body));
    },
    create: async (path, object, schema, signal) => {
      const { status, body } = await ask("POST", path, signal, object);
      if (status !== 201) throw new KubeRefusal(`POST ${path}`, status, message(body));
      return schema.parse(JSON.parse(body));
    },
    patch: async (path, fields, signal) => {
      const { status, body } = await ask("PATCH", path, signal, fields);
      if (status !== 200) throw new KubeRefusal(`PATCH ${path}`, status, message(body));
    },
    delete: async (path, signal) => {
      const { status, body } = await ask("DELETE", path, signal);
      if (![200, 202, 404].includes(status)) throw new KubeRefusal(`DELETE ${path}`, status, message(body));
    },
  };
}

function fetchText(url: URL, options: RequestOptions, signal: AbortSignal, body?: object) {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = request(url, { ...options, signal: AbortSignal.any([signal, AbortSignal.timeout(getMs)]) });
    sent.on("error", reject);
    sent.on("response", (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    sent.end(body && JSON.stringify(body));
  });
}

function message(body: string): string {
  try {
    return z.object({ message: z.string() }).parse(JSON.parse(body)).message;
  } catch {
    return "no words of its own";
  }
}

const Pem = z.string().transform((data) => Buffer.from(data, "base64"));

/** The kubeconfigs that need no login program, no proxy and no file beside them. */
const PlainKubeconfig = z.object({
  "current-context": z.string().min(1),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(z.object({ name: z.string(), cluster: z.unknown() })),
  users: z.array(z.object({ name: z.string(), user: z.unknown() })),
});
const PlainCluster = z.strictObject({
  server: z.url(),
  "certificate-authority-data": Pem.optional(),
  "tls-server-name": z.string().optional(),
});
const PlainUser = z.strictObject({
  "client-certificate-data": Pem.optional(),
  "client-key-data": Pem.optional(),
  token: z.string().optional(),
});

type Access = Pick<Kube, "server" | "options">;

async function accessOf(kubeconfig: string): Promise<Access> {
  const isText = isKubeconfigText(kubeconfig);
  const content = isText ? kubeconfig : await readKubeconfig(kubeconfig);
  const plain = plainAccess(content);
  if (plain !== undefined) return plain;
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  // From the file where there is one: other files are named relative to it.
  if (isText) config.loadFromString(content);
  else config.loadFromFile(kubeconfig);
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new StepError("the kubeconfig's current context names no cluster");
  const options = async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    return options;
  };
  return { server: server.replace(/\/$/, ""), options };
}

function plainAccess(content: string): Access | undefined {
  const config = PlainKubeconfig.safeParse(parse(content));
  if (!config.success) return undefined;
  const { contexts, clusters, users, "current-context": current } = config.data;
  const context = contexts.find(({ name }) => name === current)?.context;
  const cluster = PlainCluster.safeParse(clusters.find(({ name }) => name === context?.cluster)?.cluster);
  const user = PlainUser.safeParse(users.find(({ name }) => name === context?.user)?.user);
  if (!cluster.success || !user.success) return undefined;
  const options: RequestOptions = {
    ca: cluster.data["certificate-authority-data"],
    cert: user.data["client-certificate-data"],
    key: user.data["client-key-data"],
    ...(cluster.data["tls-server-name"] && { servername: cluster.data["tls-server-name"] }),
    ...(user.data.token && { headers: { authorization: `Bearer ${user.data.token}` } }),
  };
  return { server: cluster.data.server.replace(/\/$/, ""), options: async () => options };
}

async function readKubeconfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new StepError(`cannot read the kubeconfig ${path}: ${words(error)}`);
  }
}
