import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { channelOptions } from "./channel.ts";
import { connectLog } from "./engine-log.ts";
import { endWithEngine } from "./lifetime.ts";
import { methodsOf } from "./methods.ts";
import type { Plugin } from "./plugin.ts";

/**
 * Serves a plug-in to the engine that started this process: prints the port, answers until it is ended.
 *
 * It speaks Pulumi's provider protocol from @pulumi/pulumi/proto itself, because `pulumi.provider.main` of the
 * same package hands a provider neither previews, `customTimeouts` and the resource a line belongs to, nor takes
 * property-level differences; without these a preview would not read as it does with the official plug-ins.
 */
export async function serve(plugin: Plugin): Promise<void> {
  const cancellation = new AbortController();
  const log = connectLog(engineAddress(process.argv.slice(2)));
  const server = new grpc.Server(channelOptions);
  server.addService(providerGrpc.ResourceProviderService, methodsOf(plugin, log, cancellation));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  endWithEngine(cancellation);
  process.stdout.write(`${port}\n`);
}

/** The engine puts flags before its address: `--logtostderr`, `-v=9`, `--tracing <endpoint>`. */
function engineAddress(args: string[]): string | undefined {
  return args.find((arg, at) => !arg.startsWith("-") && args[at - 1] !== "--tracing");
}
