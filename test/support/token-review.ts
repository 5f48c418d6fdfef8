/** Tokens as Kubernetes puts them into pods, and the Kubernetes that Vault asks whose they are. */
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { backupLogin, backupName } from "../../steps/lib/backup-login.ts";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A token as Kubernetes puts it into a pod. */
export function podToken({
  account = backupName,
  namespace = "vault",
  audience = backupLogin.audience as string,
} = {}) {
  const part = (object: object) => Buffer.from(JSON.stringify(object)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const head = part({ alg: "RS256", kid: "test" });
  const body = part({
    iss: "https://kubernetes.default.svc",
    sub: `system:serviceaccount:${namespace}:${account}`,
    aud: [audience],
    iat: now,
    nbf: now,
    exp: now + 600,
    "kubernetes.io": { namespace, serviceaccount: { name: account, uid: `uid-of-${account}` } },
  });
  return `${head}.${body}.${sign("sha256", Buffer.from(`${head}.${body}`), privateKey).toString("base64url")}`;
}

/** Kubernetes' TokenReview, for tokens of this test: whose a token says it is, and whether it is for the audience asked. */
export async function tokenReviews(): Promise<Server> {
  const server = createServer(async (request, response) => {
    const { spec } = (await json(request)) as { spec: { token: string; audiences?: string[] } };
    const claims = JSON.parse(Buffer.from(spec.token.split(".")[1] ?? "", "base64url").toString());
    const audiences = (spec.audiences ?? claims.aud).filter((each: string) => claims.aud.includes(each));
    const { name, uid } = claims["kubernetes.io"].serviceaccount;
    response.writeHead(201, { "content-type": "application/json" }).end(
      JSON.stringify({
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        status:
          audiences.length === 0
            ? { authenticated: false, error: "no audience matches" }
            : {
                authenticated: true,
                audiences,
                user: { username: claims.sub, uid, groups: [], extra: { name: [name] } },
              },
      }),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
