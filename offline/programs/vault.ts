import { goPart } from "../lib/go-part.ts";

/**
 * Clouds in which Vault's `retry_join` could look for its peers by `auto_join`. Compiling their libraries is a
 * fifth of the work of building Vault. Here peers are named by address, or found by `provider=k8s` or `mdns`.
 */
const clouds = [
  ...["aliyun", "aws", "azure", "digitalocean", "gce", "linode", "os", "packet"],
  ...["scaleway", "softlayer", "tencentcloud", "triton", "vsphere"],
];

/**
 * `vault`, server and client. The tag `minimal` is HashiCorp's own: of the engines it keeps kv, pki, ssh and
 * transit, of the auth methods approle, cert, jwt, oidc and userpass. `kubernetes`, by which a pod logs in to save
 * a snapshot, is added; its module is one of those that Vault's own go.mod names. There is no web interface: its
 * files are made at release and are not in the module.
 */
export const vault = goPart({
  name: "vault",
  says: "Vault 1.21.1",
  folder: "vault",
  programs: [
    {
      name: "vault",
      package: "github.com/hashicorp/vault",
      tags: ["minimal"],
      variables: { "github.com/hashicorp/vault/version.fullVersion": "1.21.1" },
    },
  ],
  edits: [
    {
      module: "github.com/hashicorp/go-discover",
      file: "discover.go",
      changes: clouds.flatMap((cloud) => [
        { find: `^\\s"github\\.com/hashicorp/go-discover/provider/${cloud}"\\n`, by: "" },
        { find: `^\\s"\\w+": +&${cloud}\\.Provider\\{\\},\\n`, by: "" },
      ]),
    },
    {
      module: "github.com/hashicorp/vault",
      file: "helper/builtinplugins/registry_min.go",
      changes: [
        {
          find: "^package builtinplugins\\n",
          by: 'package builtinplugins\n\nimport credKube "github.com/hashicorp/vault-plugin-auth-kubernetes"\n',
        },
        {
          find: "_ \\*registry\\) \\{\\n\\s// No-op",
          by: 'r *registry) {\n\tr.credentialBackends["kubernetes"] = credentialBackend{Factory: credKube.Factory}',
        },
      ],
    },
  ],
});
