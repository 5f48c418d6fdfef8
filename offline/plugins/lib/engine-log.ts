import grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import { channelOptions } from "./channel.ts";

/** Lines on their way to the engine, in the order in which they were written. */
export interface EngineLog {
  /** Shows a line at a resource (or at the stack for an empty URN) while it is that resource's newest. */
  status(urn: string, line: string): void;
  /** Resolves when every line so far has been handed over. */
  flush(): Promise<void>;
}

/**
 * Connects to the engine that started this plug-in.
 * @param address host:port, the plug-in's first argument; undefined = nobody to tell.
 */
export function connectLog(address: string | undefined): EngineLog {
  if (address === undefined) return { status: () => {}, flush: async () => {} };
  const client = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure(), channelOptions);
  // One after the other: the engine serves calls side by side and would mix up the lines.
  let last = Promise.resolve();
  const send = (urn: string, line: string) =>
    new Promise<void>((resolve) => {
      const request = new enginePb.LogRequest();
      request.setSeverity(enginePb.LogSeverity.INFO);
      request.setMessage(line);
      request.setUrn(urn);
      request.setEphemeral(true);
      // A line that cannot be shown is no reason to fail the work that it tells of.
      client.log(request, () => resolve());
    });
  return {
    status: (urn, line) => {
      last = last.then(() => send(urn, line));
    },
    flush: () => last,
  };
}
