import { Writable } from "node:stream";
import { Exec } from "@kubernetes/client-node";
import { words } from "./errors.ts";
import type { Kube } from "./kube.ts";
import { libraryConfig } from "./tunnel.ts";

/**
 * Runs a command in a pod's Vault container, as `kubectl exec` does.
 * @throws Error with the command's own words where it fails
 */
export async function execInPod(
  kube: Kube,
  namespace: string,
  pod: string,
  command: readonly string[],
): Promise<void> {
  let said = "";
  const keep = new Writable({
    write(chunk, _encoding, done) {
      said += chunk;
      done();
    },
  });
  const failed = (why: unknown) => new Error(`${command[0]} in ${pod} failed: ${said.trim() || words(why)}`);
  await new Promise<void>((resolve, reject) => {
    new Exec(libraryConfig(kube))
      .exec(namespace, pod, "vault", [...command], keep, keep, null, false, ({ status, message }) =>
        status === "Success" ? resolve() : reject(failed(message)),
      )
      .then(
        // Without a status the command's end is not known.
        (socket) => socket.on("close", () => setImmediate(() => reject(failed("the connection was closed")))),
        (error) => reject(failed(error)),
      );
  });
}
