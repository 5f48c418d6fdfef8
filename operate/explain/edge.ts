/** The steps at the edge: the ingress controller, the test application, and Vault behind it. */
import { activeService, ingressClass, passthroughAnnotation } from "../../components/edge-names.ts";
import type { Settings } from "../../config.ts";
import type { Sources } from "../../sources.ts";
import { helmInstallIngress } from "./by-hand.ts";
import type { ExplainedStep } from "./steps.ts";

/** The controller, and the test application where a stack has it. */
export function explainedIngress(settings: Settings, sources: Sources): ExplainedStep[] {
  const traefik = settings.ingress.controller === "traefik";
  const ingress: ExplainedStep = {
    title: `${traefik ? "Traefik" : "ingress-nginx"} (beside Vault, which does not wait for it)`,
    resources: ["ingress-release"],
    byHand: helmInstallIngress(settings, sources),
    here: [
      traefik
        ? "Not in the tutorial. It serves ingress-nginx's class and annotations, under its release's name."
        : "Not in the tutorial. The last version before ingress-nginx retired, pinned.",
    ],
  };

  const whoami: ExplainedStep = {
    title: `a test application at http://${settings.whoami.host}:${settings.cluster.ports.http}`,
    resources: ["whoami-deployment", "whoami-service", "whoami-ingress"],
    byHand: [
      `kubectl create deployment whoami --image ${sources.whoami.image} --port 80`,
      "kubectl expose deployment whoami --port 80",
      `kubectl create ingress whoami --class ${ingressClass} --rule '${settings.whoami.host}/*=whoami:80'`,
    ],
    here: ["Not in the tutorial. It shows that the ingress works; a setting leaves it out."],
  };
  return settings.whoami.enabled ? [ingress, whoami] : [ingress];
}

/** Vault's own Ingress. */
export function explainedVaultIngress(settings: Settings): ExplainedStep {
  const { host, namespace, tls } = settings.vault;
  const { http, https } = settings.cluster.ports;
  return {
    title: `Vault through the ingress, at ${tls ? `https://${host}:${https}` : `http://${host}:${http}`}`,
    resources: ["vault-ingress"],
    byHand: [
      `kubectl --namespace ${namespace} create ingress vault --class ${ingressClass} --rule '${host}/*=${activeService}:8200'${
        tls ? ` --annotation ${passthroughAnnotation}=true` : ""
      }`,
    ],
    here: [
      `Not in the tutorial. It leads to the node that leads${tls ? ", and TLS ends there (SSL passthrough): clients verify Vault's own certificate" : ""}.`,
    ],
    ...(tls && {
      trap: "With the annotation backend-protocol: HTTPS instead, TLS ends at the ingress, which does not verify Vault's certificate.",
    }),
  };
}
