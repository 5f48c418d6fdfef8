import { tlsFolder } from "../../../steps/lib/tls-secret.ts";
import { commandsOf } from "../../views/commands.ts";
import type { PeerCall } from "../evidence/peers.ts";
import type { Check } from "../finding.ts";

/** Shows for whom a certificate is, and how long. */
const read = "openssl x509 -noout -dates -issuer -ext subjectAltName";

type Failure = Exclude<PeerCall["outcome"], "answered">;

const ids: Record<Failure, string> = {
  "name unknown": "peer-name-unknown",
  "port closed": "peer-port-closed",
  "TLS refused": "peer-tls-refused",
  "no answer": "peer-no-answer",
};

const meanings: Record<Failure, string> = {
  "name unknown":
    "The cluster's DNS does not give the name. A node cannot join, or be found again, without it.",
  "port closed":
    "The name leads to an address where nobody listens: Vault does not run there, or listens elsewhere (listener, api_addr).",
  "TLS refused":
    "The certificate does not carry the name under which the nodes call each other, is of another authority, or one side speaks TLS and the other does not.",
  "no answer": "Packets get lost: the network between the nodes, a policy, or a node that hangs.",
};

/** Whether the nodes reach each other's API under the addresses that a join uses. */
export const peers: Check = {
  looks: "whether the nodes reach each other's API: name, port and TLS, asked from inside the nodes",
  *find({ subject, peerCalls }) {
    const { kubectl } = commandsOf(subject);
    for (const { from, to, call } of peerCalls) {
      if (call.failed !== undefined) yield { notLooked: `whether ${from} reaches ${to}: ${call.failed}` };
      if (call.value === undefined || call.value.outcome === "answered") continue;
      const { outcome, address, command, words } = call.value;
      const { host, hostname } = new URL(address);
      const next: Record<Failure, string[]> = {
        "name unknown": [
          kubectl("get service vault-internal"),
          kubectl("get endpointslices --selector kubernetes.io/service-name=vault-internal"),
          kubectl("get pods").replace(/--namespace \S+/, "--namespace kube-system"),
        ],
        "port closed": [
          kubectl(`logs ${to} --tail 30`),
          kubectl(`exec ${to} -- cat /vault/config/extraconfig-from-values.hcl`),
        ],
        "TLS refused": [
          subject.target?.reach.kind === "kubernetes"
            ? `${kubectl(`exec ${to} -- cat ${tlsFolder}/tls.crt`)} | ${read}`
            : `openssl s_client -connect ${host} -servername ${hostname} </dev/null | ${read}`,
        ],
        "no answer": [kubectl(`exec ${from} -- ${command}`), kubectl("get networkpolicy")],
      };
      yield {
        id: ids[outcome],
        nodes: [from, to],
        wrong: `${from} does not reach ${to} at ${address}: ${outcome}`,
        evidence: [{ asked: `${command}, in ${from}`, answered: words }],
        means: meanings[outcome],
        next: next[outcome],
      };
    }
  },
};
