import grpc from "@grpc/grpc-js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import pb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { diffResponse } from "./diff-response.ts";
import type { EngineLog } from "./engine-log.ts";
import { working } from "./lifetime.ts";
import { messageFor } from "./message.ts";
import { type Call, defined, type Failure, type Plugin, partsOfUrn, refusal } from "./plugin.ts";
import type { Values } from "./value.ts";

type Struct = structPb.Struct;

/** The methods of Pulumi's provider protocol, answered by a plug-in. Those left out answer "unimplemented". */
export function methodsOf(
  plugin: Plugin,
  log: EngineLog,
  cancellation: AbortController,
): grpc.UntypedServiceImplementation {
  const kindOf = (urn: string) => {
    const { type } = partsOfUrn(urn);
    const kind = plugin.resources[type];
    if (!kind) throw new Error(refusal(plugin, `resource type ${type}`));
    return kind;
  };
  const callFor = (urn: string, preview: boolean, timeoutSeconds: number): Call => ({
    urn,
    name: partsOfUrn(urn).name,
    preview,
    timeoutSeconds,
    cancelled: cancellation.signal,
    status: (line) => log.status(urn, line),
  });
  /** Runs one operation; the engine has its lines before it has its result. */
  const operate = <T>(work: () => Promise<T>) => working(() => work().finally(() => log.flush()));

  return {
    getPluginInfo: answer(async () => {
      const info = new pluginPb.PluginInfo();
      info.setVersion(plugin.version);
      return info;
    }),
    getSchema: answer(async () => {
      const schema = new pb.GetSchemaResponse();
      schema.setSchema(JSON.stringify({ name: plugin.name, version: plugin.version }));
      return schema;
    }),
    checkConfig: answer(async (request: pb.CheckRequest) => {
      const checked = new pb.CheckResponse();
      checked.setInputs(request.getNews());
      return checked;
    }),
    diffConfig: answer(async () => {
      const same = new pb.DiffResponse();
      same.setChanges(pb.DiffResponse.DiffChanges.DIFF_NONE);
      return same;
    }),
    configure: answer(async () => {
      const configured = new pb.ConfigureResponse();
      configured.setAcceptsecrets(true);
      configured.setSupportspreview(true);
      return configured;
    }),
    check: answer(async (request: pb.CheckRequest) => {
      const inputs = read(request.getNews());
      const checked = new pb.CheckResponse();
      checked.setInputs(request.getNews());
      checked.setFailuresList(failureList(kindOf(request.getUrn()).check(inputs)));
      return checked;
    }),
    diff: answer(async (request: pb.DiffRequest) =>
      diffResponse(
        kindOf(request.getUrn()).diff({
          oldInputs: read(request.getOldInputs() ?? request.getOlds()),
          inputs: read(request.getNews()),
        }),
      ),
    ),
    create: answer(async (request: pb.CreateRequest) => {
      const call = callFor(request.getUrn(), request.getPreview(), request.getTimeout());
      const { id, state } = await operate(() => kindOf(call.urn).create(call, read(request.getProperties())));
      const created = new pb.CreateResponse();
      created.setId(id);
      created.setProperties(write(state));
      return created;
    }),
    read: answer(async (request: pb.ReadRequest) => {
      kindOf(request.getUrn());
      if (Object.keys(read(request.getProperties())).length === 0) {
        throw new Error(refusal(plugin, `import or get of ${request.getUrn()}`));
      }
      const same = new pb.ReadResponse();
      same.setId(request.getId());
      same.setProperties(request.getProperties());
      same.setInputs(request.getInputs());
      return same;
    }),
    update: answer(async (request: pb.UpdateRequest) => {
      const call = callFor(request.getUrn(), request.getPreview(), request.getTimeout());
      const at = { state: read(request.getOlds()), inputs: read(request.getNews()) };
      const state = await operate(() => kindOf(call.urn).update(call, at));
      const updated = new pb.UpdateResponse();
      updated.setProperties(write(state));
      return updated;
    }),
    delete: answer(async (request: pb.DeleteRequest) => {
      const call = callFor(request.getUrn(), false, request.getTimeout());
      await operate(() => kindOf(call.urn).delete(call, read(request.getProperties())));
      return new emptyPb.Empty();
    }),
    invoke: answer(async (request: pb.InvokeRequest) => {
      const kind = plugin.functions[request.getTok()];
      if (!kind) throw new Error(refusal(plugin, `function ${request.getTok()}`));
      const args = read(request.getArgs());
      const invoked = new pb.InvokeResponse();
      const failures = kind.check(args);
      invoked.setFailuresList(failureList(failures));
      if (failures.length > 0) return invoked;
      invoked.setReturn(write(await operate(() => kind.invoke(callFor("", false, 0), args))));
      return invoked;
    }),
    cancel: answer(async () => {
      cancellation.abort(new Error("cancelled"));
      return new emptyPb.Empty();
    }),
  };
}

/** A gRPC method from a function: what it throws reaches the user as the error of the resource. */
function answer<Request, Response>(method: (request: Request) => Promise<Response>) {
  return (call: { request: Request }, callback: grpc.sendUnaryData<Response>) => {
    method(call.request).then(
      (response) => callback(null, response),
      (error) => callback({ code: grpc.status.UNKNOWN, details: messageFor(error) }),
    );
  };
}

function read(properties: Struct | undefined): Values {
  return (properties?.toJavaScript() ?? {}) as Values;
}

function write(values: Values): Struct {
  return structPb.Struct.fromJavaScript(defined(values));
}

function failureList(failures: Failure[]): pb.CheckFailure[] {
  return failures.map(({ property, reason }) => {
    const failure = new pb.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
  });
}
