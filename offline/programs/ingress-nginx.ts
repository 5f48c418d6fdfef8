import { goPart } from "../lib/go-part.ts";

const ingressModule = "k8s.io/ingress-nginx";

/**
 * `nginx-ingress-controller`, `dbg`, `wait-shutdown`; `rootfs-etc/`: what its image has in /etc (the
 * template of nginx.conf, Lua); `chart/`: its Helm chart, version 4.11.0.
 */
export const ingressNginx = goPart({
  name: "ingress-nginx",
  says: "ingress-nginx 1.11.0",
  folder: "kubernetes",
  programs: [
    { name: "nginx-ingress-controller", package: `${ingressModule}/cmd/nginx` },
    { name: "dbg", package: `${ingressModule}/cmd/dbg` },
    { name: "wait-shutdown", package: `${ingressModule}/cmd/waitshutdown` },
  ].map((program) => ({
    ...program,
    variables: {
      [`${ingressModule}/version.RELEASE`]: "v1.11.0",
      [`${ingressModule}/version.COMMIT`]: "git-52c50467d67d",
      [`${ingressModule}/version.REPO`]: "https://github.com/kubernetes/ingress-nginx",
    },
  })),
  // The library of its process metrics, at the version whose interface it uses, reads user ids as text. They
  // are numbers in the version of procfs that Kubernetes has.
  edits: [
    {
      module: "github.com/ncabatoff/process-exporter",
      file: "proc/read.go",
      changes: [
        {
          find: `effectiveUID, err := strconv\\.ParseInt\\(status\\.UIDs\\[1\\], 10, 64\\)\\n\\tif err != nil \\{\\n.*\\n\\t\\}`,
          by: "effectiveUID := status.UIDs[1]",
        },
      ],
    },
  ],
  files: [
    { module: ingressModule, from: "rootfs/etc", to: "rootfs-etc" },
    { module: ingressModule, from: "charts/ingress-nginx", to: "chart" },
  ],
});
