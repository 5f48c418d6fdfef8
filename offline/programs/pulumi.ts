import { goPart } from "../lib/go-part.ts";

const pulumiModule = "github.com/pulumi/pulumi";
const pulumiVersionVariable = `${pulumiModule}/sdk/v3/go/common/version.Version`;

/** `pulumi`: the CLI with its engine. */
export const pulumiCli = goPart({
  name: "pulumi",
  says: "Pulumi CLI 3.215.0",
  folder: "pulumi",
  programs: [
    {
      name: "pulumi",
      package: `${pulumiModule}/pkg/v3/cmd/pulumi`,
      variables: { [pulumiVersionVariable]: "3.215.0" },
    },
  ],
});

/**
 * `pulumi-language-nodejs`, which runs programs in TypeScript, and `pulumi-analyzer-policy`, the shell
 * script that starts policy packs. Both have to be on PATH, or beside `pulumi`.
 */
export const pulumiLanguageNodejs = goPart({
  name: "pulumi-language-nodejs",
  says: "Pulumi language host for Node.js 3.68.0",
  folder: "pulumi-language-nodejs",
  programs: [
    {
      name: "pulumi-language-nodejs",
      package: `${pulumiModule}/sdk/v3/nodejs/cmd/pulumi-language-nodejs`,
      variables: { [pulumiVersionVariable]: "3.68.0" },
    },
  ],
  files: [
    {
      module: `${pulumiModule}/sdk/v3`,
      from: "nodejs/dist/pulumi-analyzer-policy",
      to: "pulumi-analyzer-policy",
      executable: true,
    },
  ],
  // A host of this age is told its options by flags, and today's engine gives it none, so `typescript: false` of
  // Pulumi.yaml would not reach it. With its default, true, it loads ts-node and the compiler into every run, and
  // ts-node looks up the source of each stack trace: half a second that the newer hosts do not take.
  edits: [
    {
      module: `${pulumiModule}/sdk/v3`,
      file: "nodejs/cmd/pulumi-language-nodejs/main.go",
      changes: [{ find: `&typescript, "typescript", true,`, by: `&typescript, "typescript", false,` }],
    },
  ],
});

const kubernetesPlugin = "github.com/pulumi/pulumi-kubernetes/provider/v4";

/** `pulumi-resource-kubernetes`: the official plug-in, for the folder `resource-kubernetes-v4.25.0`. */
export const pulumiResourceKubernetes = goPart({
  name: "pulumi-resource-kubernetes",
  says: "Pulumi plug-in kubernetes 4.25.0",
  folder: "pulumi",
  beside: ["schema.json", "terraform-mapping.json"].map((file) => ({
    module: kubernetesPlugin,
    from: `cmd/pulumi-resource-kubernetes/${file}`,
    to: `resource-kubernetes/${file}`,
  })),
  programs: [
    {
      name: "pulumi-resource-kubernetes",
      package: "./resource-kubernetes",
      variables: { [`${kubernetesPlugin}/pkg/version.Version`]: "4.25.0" },
    },
  ],
  // The plug-in's only use of the generated Go type of each kind is to register a resource, for components such as
  // Chart v4, and then nothing is read but its URN and id. The type of a custom resource serves as well, as
  // it does already for kinds that have no type of their own; tokens and inputs stay. Two thirds of what is
  // compiled for this plug-in are these types.
  edits: [
    {
      module: "github.com/pulumi/pulumi-kubernetes/sdk/v4",
      file: "go/kubernetes/yaml/v2/kinds.go",
      changes: [
        { find: `^\\t\\w+ "github\\.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/\\S+"\\n`, by: "" },
        { find: `^\\t\\tvar res \\w+\\.\\w+$`, by: "\t\tvar res apiextensions.CustomResource" },
      ],
    },
  ],
});
