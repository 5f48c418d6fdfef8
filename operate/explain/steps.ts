import type { Settings } from "../../config.ts";
import type { Sources } from "../../sources.ts";
import { podNames } from "../../steps/lib/road.ts";
import { tlsFolder } from "../../steps/lib/tls-secret.ts";
import { helmInstallVault } from "./by-hand.ts";
import { explainedCertificate } from "./certificate.ts";
import { explainedCluster, explainedForgetting, explainedKeeping } from "./cluster.ts";
import { explainedInit, explainedToken, explainedUnseal } from "./custody.ts";
import { explainedAudit, explainedMetrics, explainedSchedule } from "./day-two.ts";
import { explainedIngress, explainedVaultIngress } from "./edge.ts";
import { explainedSealSecret, explainedSelfUnseal } from "./seal.ts";

/** One step of a stack. */
export interface ExplainedStep {
  title: string;
  /** The resources of the program that it stands for, by name. */
  resources: string[];
  /** What one types by hand, as shell; nothing where the tutorial has nothing for it. */
  byHand: string[];
  /** What this program does beyond it, one sentence or two each. */
  here: string[];
  /** What has gone wrong for people who typed it. */
  trap?: string;
}

/** The steps of a stack, in the order in which they run. */
export function explainedSteps(stack: string, settings: Settings, sources: Sources): ExplainedStep[] {
  const { namespace, replicas, shares, threshold, seal } = settings.vault;
  const { existing } = settings.cluster;
  const { retainData } = settings.teardown;
  const { custody } = settings;
  const [first, ...others] = podNames(replicas) as [string, ...string[]];
  const journal = `.local/stacks/${stack}/vault-init.json`;
  const vault = (pod: string, command: string) =>
    `kubectl --namespace ${namespace} exec ${pod} -- vault ${command}`;

  const release: ExplainedStep = {
    title: `Vault's release vault in the namespace ${namespace}: ${replicas} pods, sealed`,
    resources: [...(settings.vault.tls ? [] : ["vault-namespace"]), "vault-leave", "vault-release"],
    byHand: [...helmInstallVault(settings, sources), `kubectl --namespace ${namespace} get pods`],
    here: [
      "Values that the steps could not live with are refused before anything is made, each with its reason.",
      "The next step waits until the pods' containers run, and says why one does not.",
      "Another seal than an initialised Vault has is refused first: that is a migration (docs/seal.md).",
      "Where vault.replicas has become smaller, the peers leave before Helm takes their pods: one at a time, one that leads last, while all that stay are healthy voters. Their volumes go with their pods.",
    ],
    trap: `A cluster that keeps its volumes past a helm uninstall hands the old ones (data-${first}, ...) to the next install.`,
  };

  const identity: ExplainedStep = {
    title: "whether this is the cluster, and these are the volumes, that the stack knows",
    resources: ["lifecycle-identity"],
    byHand: [],
    here: [
      "A first run pins the UIDs of the Kubernetes cluster and of every pod's volume (PVC) in the stack's state; every later run is held against them.",
      "Swapped volumes, a blank one and another cluster are refused before a share is sent, with both identities and the ways out (vault.giveUp names what is lost on purpose).",
    ],
    trap: "By hand nothing compares them: a blank volume looks like a Vault that waits for init, and init would lose the data for good.",
  };

  const kind = seal ? "recovery" : "key";
  const init: ExplainedStep =
    custody.mode === "pgp"
      ? explainedInit(stack, settings, custody)
      : {
          title: `initialise ${first}: ${shares} ${seal ? "recovery shares" : "shares"}, threshold ${threshold}`,
          resources: [`lifecycle-init-${first}`],
          byHand: [
            vault(
              first,
              `operator init -${kind}-shares=${shares} -${kind}-threshold=${threshold} -format=json > cluster-keys.json`,
            ),
          ],
          here: [
            "Asks Vault first: what is initialised is not initialised again, nor is a blank store behind a Vault that this stack knows.",
            `The intent before the call and the answer right after it are fsynced in ${journal} (mode 0600). The state holds shares and token encrypted.`,
          ],
          trap: "Vault answers once. Where kubectl is cut off before the file is written, the keys are lost; the file has your umask's mode and no fsync.",
        };

  const rollout: ExplainedStep = {
    title: "bring nodes that run already to what the release is now",
    resources: ["lifecycle-rollout"],
    byHand: [],
    here: [
      "Nothing on a first run. Later, where a pod's template or the certificate has changed: one node at a time, the one that leads last, after it has handed over.",
      "A changed template takes a restart: the pod is deleted, unsealed, and a healthy voter with every write before the next one. A renewed certificate takes none.",
    ],
    trap: "The chart's StatefulSet restarts no pod by itself (OnDelete): by hand nothing happens until a pod is deleted, and then it is sealed.",
  };

  const sharesUnseal = (pod: string): ExplainedStep => ({
    title: `unseal ${pod}: ${threshold} of ${shares} shares`,
    resources: [`lifecycle-unseal-${pod}`],
    byHand: Array.from({ length: threshold }, (_, n) =>
      vault(pod, `operator unseal "$(jq -r '.unseal_keys_b64[${n}]' cluster-keys.json)"`),
    ),
    here:
      pod === first
        ? [
            "Shares travel in the bodies of HTTP requests, never past the threshold; shares that a killed run left half-sent are reset first.",
            "Waits until Vault says that it is unsealed. A restarted container is sealed again: the next run sees that and unseals it.",
          ]
        : [
            `As for ${first}. A node that joins may still answer sealed after the last share: it is waited for.`,
          ],
    ...(pod === first && {
      trap: "A share in a command's arguments is seen by everybody who can list processes, here and in the pod.",
    }),
  });

  const unseal = (pod: string) => {
    if (seal) return explainedSelfUnseal(pod, first, seal);
    return custody.mode === "pgp" ? explainedUnseal(stack, pod, settings) : sharesUnseal(pod);
  };

  const join = (pod: string): ExplainedStep => ({
    title: `have ${pod} join`,
    resources: [`lifecycle-join-${pod}`],
    byHand: [
      vault(
        pod,
        settings.vault.tls
          ? `operator raft join -leader-ca-cert=@${tlsFolder}/ca.crt https://${first}.vault-internal:8200`
          : `operator raft join http://${first}.vault-internal:8200`,
      ),
    ],
    ...(pod === others[0]
      ? {
          here: [
            "Asks first who leads and whether another join is under way; a node that joined before is left alone.",
            "Asks again until the node has reached the leader: a new pod's name is not in the cluster's DNS for some seconds.",
          ],
          trap: `"Joined true" comes before the node has joined. Two joins at once, as with retry_join, can eject a node on a slow machine (hashicorp/vault#32099).`,
        }
      : { here: [`As for ${others[0]}, once that one is a voter.`] }),
  });

  const voter = (pod: string): ExplainedStep => ({
    title: `wait until ${pod} is a healthy voter`,
    resources: [`lifecycle-voter-${pod}`],
    byHand: [],
    ...(pod === others[0]
      ? {
          here: [
            "A vote in the Raft configuration and autopilot's word that the node is healthy; only then does the next node join.",
          ],
          trap: "The tutorial goes on at once. A node without a vote does not help to elect a leader.",
        }
      : { here: [`As for ${others[0]}.`] }),
  });

  const verify: ExplainedStep = {
    title: "prove the whole",
    resources: ["lifecycle-verify"],
    byHand: [
      vault(first, `login "$(jq -r .root_token cluster-keys.json)"`),
      vault(first, "operator raft list-peers"),
    ],
    here: [
      "One leader in every node's eyes, every pod a healthy voter, the failure tolerance of so many voters, and a write that every node reads back.",
      "Puts autopilot's server_stabilization_time back, which is 1 s while a cluster without data is formed.",
    ],
    trap: "login leaves the root token in arguments and in ~/.vault-token of the pod; list-peers does not say whether a peer lives.",
  };

  const { backup } = settings;
  const atFirst = (command: string) => vault(first, command);
  return [
    explainedCluster(stack, settings, sources),
    ...(existing ? [] : explainedIngress(settings, sources)),
    ...(existing && !retainData ? [explainedForgetting(journal)] : []),
    ...explainedCertificate(settings),
    ...(seal?.secret === undefined ? [] : [explainedSealSecret(seal, namespace)]),
    release,
    ...(existing ? [] : [explainedVaultIngress(settings)]),
    identity,
    init,
    ...(retainData ? [explainedKeeping(journal)] : []),
    rollout,
    unseal(first),
    ...(custody.mode === "pgp" ? [explainedToken(stack, settings)] : []),
    ...others.flatMap((pod) => [join(pod), unseal(pod), voter(pod)]),
    verify,
    ...(settings.audit.enabled ? [explainedAudit(atFirst)] : []),
    ...(settings.telemetry.enabled ? [explainedMetrics()] : []),
    ...(backup ? [explainedSchedule(backup, atFirst)] : []),
  ];
}
