import { goPart } from "../lib/go-part.ts";

const lego = "github.com/go-acme/lego/v4";

/**
 * `traefik`, with its provider for ingress-nginx's annotations. Without the web interface, whose files are made at
 * release, and without the DNS services by which it could ask for certificates: half of the program, and no Ingress
 * here needs one.
 */
export const traefik = goPart({
  name: "traefik",
  says: "Traefik 3.6.12",
  folder: "traefik",
  programs: [
    {
      name: "traefik",
      package: "github.com/traefik/traefik/v3/cmd/traefik",
      variables: { "github.com/traefik/traefik/v3/pkg/version.Version": "3.6.12" },
    },
  ],
  edits: [
    {
      module: lego,
      file: "providers/dns/zz_gen_dns_providers.go",
      changes: [
        { find: `^\\t"${lego}/providers/dns/\\w+"\\n`, by: "" },
        { find: `^\\tcase [^\\n]*:\\n\\t\\treturn \\w+\\.NewDNSProvider\\w*\\(\\)\\n`, by: "" },
      ],
    },
  ],
});
