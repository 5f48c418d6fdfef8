/** Makes the values for the ingress-nginx chart: kind's flavour, what the source brings, the stack's own over both. */
import { isDeepStrictEqual } from "node:util";
import type { Sources } from "../sources.ts";
import { ingressClass } from "./edge-names.ts";
import { spareNodePort } from "./kind-config.ts";
import { only, type Rule, remove } from "./rule.ts";
import {
  changes,
  isMap,
  mergeValues,
  readValuesFile,
  show,
  type Values,
  valueAt,
  withValue,
} from "./values-file.ts";

export interface IngressValuesArgs {
  source: Sources["ingressNginx"];
  /** "closed": the nodes hold the images that there are, and pull none. */
  images: Sources["images"];
  /** Port of this machine that leads to the cluster's spare node port. */
  sparePort: number;
  /** The stack's own values file (`ingress.valuesFile`). */
  ownFile?: string | undefined;
}

/**
 * The chart's values, and one problem for each thing in the stack's own file that cannot be served or that the
 * program relies on: the file, the key, what was found, why not, what to do instead. With any problem the values are
 * not to be used.
 */
export function ingressValues(args: IngressValuesArgs): { values: Values; problems: string[] } {
  const { source, images, ownFile } = args;
  const base = mergeValues(kindFlavour(), source.values, "").values;
  if (ownFile === undefined) return { values: base, problems: [] };
  const own = readValuesFile(ownFile, "ingress.valuesFile");
  const merged = mergeValues(base, own.values, ownFile);
  const problems = [...own.problems, ...merged.problems];
  const rules = [...fixed.map(asRule), ...broughtRules(source), ...(images === "closed" ? closedRules : [])];
  for (const { key, allowed, why, instead } of rules) {
    const given = valueAt(own.values, key);
    if (given !== undefined && !allowed(given, merged.values))
      problems.push(`${ownFile}: ${key}: ${show(given)} cannot be used. ${why}\n    ${instead}`);
  }
  if (images === "closed")
    for (const refused of streamServices(own.values, args.sparePort)) problems.push(`${ownFile}: ${refused}`);
  return { values: merged.values, problems };
}

interface Fixed extends Pick<Rule, "key" | "why"> {
  value: unknown;
  instead?: string;
}

const ports = "This machine's ports lead to the ports 80 and 443 of the control-plane.";
const onePod = "Only one pod can hold the node's ports 80 and 443.";
const named = "The program's own Ingresses name this class.";
const helmWaits = "Host ports admit one pod at a time, and Helm has to wait for one that runs.";

/** What the program relies on. From kind's flavour of the controller: https://kind.sigs.k8s.io/docs/user/ingress/ */
const fixed: Fixed[] = [
  { key: "controller.kind", value: "Deployment", why: onePod },
  { key: "controller.replicaCount", value: 1, why: onePod },
  { key: "controller.autoscaling.enabled", value: false, why: onePod },
  { key: "controller.hostPort.enabled", value: true, why: ports },
  ...Object.entries({ http: 80, https: 443 }).map(([name, value]) => ({
    key: `controller.hostPort.ports.${name}`,
    value,
    why: ports,
    instead: `Remove the key; the port on this machine: pulumi config set cluster.ports.${name} <port>`,
  })),
  { key: "controller.nodeSelector.ingress-ready", value: "true", why: ports },
  {
    key: "controller.tolerations",
    value: [{ key: "node-role.kubernetes.io/control-plane", operator: "Equal", effect: "NoSchedule" }],
    why: `${ports} It takes no other pods without this toleration.`,
  },
  // Not kind's rolling update with one pod unavailable: for Helm's wait a Deployment of one pod is then ready before
  // it has any.
  { key: "controller.updateStrategy.type", value: "Recreate", why: helmWaits },
  { key: "controller.updateStrategy.rollingUpdate", value: null, why: helmWaits },
  { key: "controller.ingressClassResource.enabled", value: true, why: named },
  { key: "controller.ingressClassResource.name", value: ingressClass, why: named },
  {
    key: "controller.extraArgs.enable-ssl-passthrough",
    value: "",
    why: "With TLS, Vault's clients speak to Vault itself, under Vault's own certificate.",
  },
  {
    key: "controller.scope.enabled",
    value: false,
    why: "The program's own Ingresses are in more than one namespace.",
  },
  {
    key: "controller.service.type",
    value: "NodePort",
    why: "A kind cluster has no load balancer, and Helm would wait for one.",
  },
];

/** What kind and a laptop want otherwise, and a stack may change. */
const preferred = {
  controller: {
    terminationGracePeriodSeconds: 0,
    publishService: { enabled: false },
    watchIngressWithoutClass: true,
    // One controller on a laptop needs no gate in front of `kubectl apply`, and its two jobs cost 10 s.
    admissionWebhooks: { enabled: false },
    extraArgs: { "publish-status-address": "localhost" },
  },
};

function kindFlavour(): Values {
  return fixed.reduce<Values>((values, { key, value }) => withValue(values, key, value), preferred);
}

function asRule({ key, value, why, instead = remove }: Fixed): Rule {
  return { key, allowed: (given) => isDeepStrictEqual(given, value), why, instead };
}

/** What the source brings with the chart is the image that the nodes hold. */
function broughtRules({ values }: Sources["ingressNginx"]): Rule[] {
  return changes({}, values).map(([key, value]) => ({
    key,
    allowed: only(value),
    why: "Set-up found this image together with the chart; the nodes pull no other.",
    instead: remove,
  }));
}

const noStreams =
  "The nginx of this network's image has no Lua for its stream module, by which ingress-nginx passes TCP and UDP on.";

/** Where the nodes pull no images. */
const closedRules: Rule[] = [
  ...["controller.admissionWebhooks", "controller.opentelemetry", "defaultBackend"].map((part) => ({
    key: `${part}.enabled`,
    allowed: only(false),
    why: "The nodes hold no image for it, and pull none.",
    instead: remove,
  })),
  ...["tcp", "udp"].map((protocol) => ({
    key: `controller.extraArgs.${protocol}-services-configmap`,
    allowed: () => false,
    why: noStreams,
    instead: remove,
  })),
];

/** Each TCP or UDP service that is asked for, as a problem. */
function streamServices(values: Values, sparePort: number): string[] {
  return [
    [
      "tcp",
      `a Service with nodePort ${spareNodePort} is this machine's port ${sparePort} (cluster.ports.spare)`,
    ],
    ["udp", "no UDP port of this machine leads into the cluster"],
  ].flatMap(([protocol = "", instead]) => {
    const services = values[protocol] ?? {};
    const refused = (key: string, service: unknown) =>
      `${key}: ${show(service)} cannot be served. ${noStreams}\n    Remove it; ${instead}.`;
    return isMap(services)
      ? Object.entries(services).map(([port, service]) => refused(`${protocol}.${port}`, service))
      : [refused(protocol, services)];
  });
}
