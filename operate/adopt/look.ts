/** What a Vault that was made by hand has to be, so that a stack can go on with it. */
import type { Sources } from "../../sources.ts";
import type { Found, FoundPeer, FoundPod } from "./found.ts";

/** For which stack it is looked at. */
export interface Place {
  stack: string;
  namespace: string;
  source: Sources["vault"];
}

/** One problem for each thing that a stack could not live with: what was found, and the command that mends it. */
export function problemsOf(found: Found, { stack, namespace, source }: Place): string[] {
  const { release, owner, pods, peers, scheme, image } = found;
  const problems: string[] = [];
  const upgrade = (values: string) =>
    `helm upgrade vault hashicorp/vault --version ${release?.chart.version} --namespace ${namespace} --reuse-values --set ${values}`;
  if (release === undefined)
    problems.push(
      `Helm knows no release vault in namespace ${namespace}.\n    helm list --all-namespaces   (then: pulumi config set vault.namespace <name> --stack ${stack})`,
    );
  else if (release.status !== "deployed")
    problems.push(
      `Helm's release vault is ${release.status}, not deployed.\n    helm history vault --namespace ${namespace}`,
    );
  if (release !== undefined && release.chart.name !== "vault")
    problems.push(`Helm's release vault is of the chart ${release.chart.name}, not of vault.`);
  if (owner !== undefined && owner !== stack)
    problems.push(
      `the namespace ${namespace} belongs to the stack ${owner}.\n    npm run status -- --stack ${owner}`,
    );
  if (scheme === "https")
    problems.push(
      "this Vault speaks HTTPS from a Secret and a place of its own, which the stack would change with a restart of each node. Only a Vault that speaks HTTP can be taken over without one.",
    );
  const { repository, tag } = source.image;
  if (image !== undefined && image !== `${repository}:${tag}`)
    problems.push(
      `the pods run ${image}, and this program's release ${repository}:${tag}: the next pod that is started would be another Vault.\n    ${upgrade(`server.image.repository=${repository},server.image.tag=${tag}`)}   (then delete the pods one at a time, the leader last, and unseal each)`,
    );
  const injector = release?.objects.find((object) => /agent-injector/.test(object));
  if (injector !== undefined)
    problems.push(
      `the release has the injector (${injector}), which this program does not run; it would be left behind.\n    ${upgrade("injector.enabled=false")}`,
    );
  if (![1, 3, 5, 7].includes(pods.length))
    problems.push(`there are ${pods.length} nodes; a stack has 1, 3, 5 or 7.`);
  problems.push(...pods.flatMap((pod) => podProblem(pod, namespace)));
  if (peers !== undefined) problems.push(...voterProblems(peers, pods, namespace));
  return problems;
}

function podProblem(
  { name, pod, initialised, sealed, seal, storage }: FoundPod,
  namespace: string,
): string[] {
  const kubectl = `kubectl --namespace ${namespace}`;
  if (pod === undefined) return [`there is no pod ${name}.\n    ${kubectl} get pods`];
  if (!initialised)
    return [`${name} is not initialised, or does not answer.\n    ${kubectl} describe pod ${name}`];
  if (seal !== "shamir")
    return [
      `${name} is unsealed by its seal ${seal}; a Vault is taken over only where key shares unseal it, since what it logs in with at its seal would have to be taken over, too. A stack of its own with the same seal takes its data from a snapshot (docs/seal.md, Snapshots).`,
    ];
  if (sealed) return [`${name} is sealed.\n    ${kubectl} exec -it ${name} -- vault operator unseal`];
  if (storage !== "raft")
    return [`${name} keeps its data in ${storage ?? "something unknown"}, not in Raft.`];
  return [];
}

/** What is wrong with the raft configuration: each node has to be a voter, under its pod's name, and nobody else. */
export function voterProblems(
  peers: readonly FoundPeer[],
  pods: readonly Pick<FoundPod, "name">[],
  namespace: string,
): string[] {
  const list = `kubectl --namespace ${namespace} exec vault-0 -- vault operator raft list-peers`;
  const strangers = peers.filter(({ node }) => !pods.some(({ name }) => name === node));
  const voteless = pods.filter(({ name }) => !peers.some(({ node, voter }) => node === name && voter));
  return [
    ...strangers.map(
      ({ node }) =>
        `the raft configuration has ${node}, which is the name of no pod (server.ha.raft.setNodeId gives a node its pod's name).\n    ${list}`,
    ),
    ...voteless.map(({ name }) => `${name} is no voter.\n    ${list}`),
  ];
}
