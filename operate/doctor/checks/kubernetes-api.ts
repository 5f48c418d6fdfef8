import { commandsOf } from "../../views/commands.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Asked, Check } from "../finding.ts";

/** Whether the stack has a Vault, and the kubeconfig leads to its cluster, and that answers. */
export const kubernetesApi: Check = {
  looks: "the Kubernetes API, and whether the kubeconfig leads to this stack's cluster",
  *find(evidence) {
    const { subject, kubernetes, pulumi, engine } = evidence;
    const { up, kubectl } = commandsOf(subject);
    if (subject.target === undefined) {
      yield {
        id: "no-vault",
        nodes: [],
        wrong: "the stack has no Vault yet",
        evidence: [
          {
            asked: "Pulumi's state: vault-namespace, and the kubeconfig",
            answered: "one of them is not there",
          },
        ],
        means: "npm run up was not run, or was ended before the cluster stood.",
        next: [up],
      };
      return;
    }
    if (kubernetes === undefined) return;
    const other = otherCluster(evidence);
    if (other.length > 0)
      yield {
        id: "kubeconfig-other-cluster",
        nodes: [],
        wrong: `${subject.stackDir}/kubeconfig does not lead to this stack's cluster`,
        evidence: other,
        means:
          "Whatever is asked with this file is answered by another cluster, or by none. The stack's own cluster may be well.",
        next: [
          `kind get kubeconfig --name ${subject.clusters[0] ?? "<cluster>"} > ${subject.stackDir}/kubeconfig`,
          kubectl("get nodes"),
        ],
      };
    if (kubernetes.failed === undefined) return;
    const control = engine?.value?.find(({ name }) => name.endsWith("-control-plane"));
    yield {
      id: "kubernetes-unanswered",
      nodes: [],
      wrong: "the Kubernetes API does not answer",
      evidence: [
        {
          asked: `GET /api/v1/namespaces/.../pods at ${evidence.api.kubeconfig ?? "the kubeconfig's server"}`,
          answered: kubernetes.failed,
        },
        ...(pulumi.pinned.kubernetes
          ? [{ asked: "Pulumi's state: the cluster", answered: pulumi.pinned.kubernetes }]
          : []),
      ],
      means:
        "Pods go on as they are, but nothing is started, healed or reached through it: also this look at Vault goes through it.",
      next: control?.running
        ? [
            `docker exec ${control.name} journalctl --unit kubelet --no-pager --lines 30`,
            `docker restart ${control.name}`,
          ]
        : [up],
    };
  },
};

/** What shows that the kubeconfig is of another cluster; nothing where it does not. */
function otherCluster({ api, kubernetes, pulumi, engine }: Evidence): Asked[] {
  const found: Asked[] = [];
  const known = pulumi.pinned.kubernetes;
  const uid = kubernetes?.value?.uid;
  if (known !== undefined && uid !== undefined && uid !== known)
    found.push(
      { asked: "Pulumi's state: UID of the namespace kube-system", answered: known },
      { asked: "the cluster of the kubeconfig: the same UID", answered: uid },
    );
  const runs = engine?.value?.some(({ name, running }) => running && name.endsWith("-control-plane"));
  const port = (address: string) => /:(\d+)$/.exec(address)?.[1];
  if (runs && api.kubeconfig && api.docker && port(api.kubeconfig) !== port(api.docker))
    found.push(
      { asked: "server in the kubeconfig", answered: api.kubeconfig },
      { asked: "docker port of the control-plane, 6443/tcp", answered: api.docker },
    );
  // A server of another authority, or a server that does not know this login.
  const failed = kubernetes?.failed ?? "";
  if (/certificate|Unauthorized|with 401/.test(failed))
    found.push({ asked: `GET pods at ${api.kubeconfig ?? "the kubeconfig's server"}`, answered: failed });
  return found;
}
