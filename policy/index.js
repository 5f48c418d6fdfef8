// Pulumi loads a pack by `require`, into which it has hooked a TypeScript compiler; what is imported goes past that.
import "./pack.ts";
