/** Pulumi's own limit for one message, in bytes (pulumi/pulumi, sdk/nodejs/runtime/settings.ts). */
const maxMessage = 400 * 1024 * 1024;

/** gRPC options for both directions. The default limit of 4 MiB is less than a command may print. */
export const channelOptions = {
  "grpc.max_receive_message_length": maxMessage,
  "grpc.max_send_message_length": maxMessage,
};
