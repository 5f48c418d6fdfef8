/** Settings of what leads into the cluster, and of the test application behind it. */
import { z } from "zod";
import { hostName, path, setting, yesNo } from "./rule.ts";

export const edgeSettings = {
  "ingress.controller": setting(
    z.enum(["nginx", "traefik"], "takes nginx or traefik"),
    "nginx",
    "controller",
    "What serves the Ingresses: ingress-nginx, which is retired, or Traefik, which reads the same class and annotations.",
  ),
  "ingress.valuesFile": setting(
    path("a YAML file"),
    undefined,
    "path",
    "Your own Helm values for ingress-nginx, merged over the program's.",
  ),
  "whoami.enabled": setting(
    yesNo,
    "true",
    "true or false",
    "Whether a small test application is put behind the ingress.",
  ),
  "whoami.host": setting(
    hostName,
    "whoami.localhost",
    "host name",
    "Host under which the ingress serves the test application.",
  ),
};
