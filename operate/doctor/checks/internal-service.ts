import { commandsOf } from "../../views/commands.ts";
import { internalService } from "../evidence/cluster.ts";
import type { Check } from "../finding.ts";

/** Whether vault-internal is there and gives the pods' addresses, also of those that are sealed. */
export const internalServices: Check = {
  looks: `the service ${internalService}, under whose name the nodes find each other, and its endpoints`,
  *find({ subject, cluster, kubernetes }) {
    if (!cluster?.value || !kubernetes?.value) return;
    const { kubectl } = commandsOf(subject);
    const { internal, endpoints, statefulSet } = cluster.value;
    // Before the release is installed there is nothing to have a name.
    if (statefulSet === undefined) return;
    if (internal === undefined) {
      yield {
        id: "internal-service-missing",
        nodes: [],
        wrong: `the service ${internalService} does not exist`,
        evidence: [{ asked: `kubectl get service ${internalService}`, answered: "not found" }],
        means:
          "The pods have no names in the cluster's DNS. Nodes that know each other keep their connections for a while, but none finds another again, and none can join.",
        next: [
          "# everything that the release installed, once more, from Helm's own note of it:",
          `${kubectl("get secrets --selector owner=helm,name=vault,status=deployed --output jsonpath={.items[-1:].data.release}")} | base64 -d | base64 -d | gunzip | node -p 'JSON.parse(fs.readFileSync(0)).manifest' | ${kubectl("apply --filename -")}`,
        ],
      };
      return;
    }
    const running = Object.values(kubernetes.value.pods).filter(({ container }) => container);
    const without = running.filter(({ name }) => !endpoints.includes(name)).map(({ name }) => name);
    if (without.length === 0) return;
    const hidesUnready = internal.spec.publishNotReadyAddresses !== true;
    yield {
      id: "internal-service-no-endpoints",
      nodes: without,
      wrong: `${internalService} gives no address of ${without.join(", ")}`,
      evidence: [
        {
          asked: `kubectl get endpointslices of ${internalService}`,
          answered: endpoints.join(", ") || "none",
        },
        {
          asked: `kubectl get service ${internalService}: selector`,
          answered: JSON.stringify(internal.spec.selector ?? {}),
        },
        {
          asked: "the same: publishNotReadyAddresses",
          answered: String(internal.spec.publishNotReadyAddresses ?? false),
        },
      ],
      means: hidesUnready
        ? "Sealed pods are not ready, and this service hides what is not ready: a sealed or joining node cannot be found by the others."
        : "Its selector does not match the labels of these pods, so their names do not resolve: they cannot join, and are not found again after a restart.",
      next: [
        kubectl("get pods --show-labels"),
        kubectl(`describe service ${internalService}`),
        ...(hidesUnready
          ? [kubectl(`patch service ${internalService} --patch '{"spec":{"publishNotReadyAddresses":true}}'`)]
          : []),
      ],
    };
  },
};
