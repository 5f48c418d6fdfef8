/** What keeps a Standalone from being brought to a stack. Plain data in, sentences out. */

import { auditFolder } from "../../components/vault-rules.ts";
import type { AuditDevices } from "../../steps/lib/vault-answers.ts";
import type { Standalone } from "./found.ts";

/** For which stack it is looked at. */
export interface For {
  stack: string;
  namespace: string;
  /** The version of Vault that the stack runs. */
  version: string;
  /** Whether its data is wanted. */
  keepsData: boolean;
}

/** One problem for each thing: what was found, and the command that mends it. */
export function standaloneProblems(found: Standalone, wanted: For): string[] {
  const { release, owner, set, volumes, scheme, claim } = found;
  const { stack, namespace, keepsData } = wanted;
  const kubectl = `kubectl --namespace ${namespace}`;
  const problems: string[] = [];
  if (owner !== undefined && owner !== stack)
    problems.push(
      `the namespace ${namespace} belongs to the stack ${owner}.\n    npm run status -- --stack ${owner}`,
    );
  if (release === undefined)
    problems.push(
      `Helm knows no release vault in namespace ${namespace}.\n    helm list --all-namespaces   (then name it: --namespace <name>)`,
    );
  if (set === undefined)
    return [...problems, `there is no StatefulSet vault in namespace ${namespace}.\n    ${kubectl} get all`];
  if (set.spec.replicas !== 1)
    problems.push(
      `it has ${set.spec.replicas} nodes, so it is no Standalone. One on Raft is taken over as it is:\n    npm run adopt -- --help`,
    );
  if (!keepsData) return problems;
  if (scheme === "https")
    problems.push(
      "it speaks HTTPS, and which authority is to be trusted is not known here. Turn its TLS off for the migration.",
    );
  if (claim === undefined || !volumes.some(({ name }) => name === "data"))
    problems.push(`its data is on no volume of its own (data-vault-0).\n    ${kubectl} get pvc`);
  problems.push(...vaultProblems(found, wanted, kubectl));
  return problems;
}

function vaultProblems(
  { vault }: Standalone,
  { version, stack }: Pick<For, "version" | "stack">,
  kubectl: string,
): string[] {
  if (vault === undefined) return [`its Vault does not answer.\n    ${kubectl} describe pod vault-0`];
  if (!vault.initialized)
    return [
      `its Vault is not initialised: there is nothing to bring over.\n    npm run migrate standalone -- --stack ${stack} --begin-anew`,
    ];
  const problems: string[] = [];
  if (vault.storage_type === "raft")
    problems.push("its data is in Raft already, so it is taken over as it is.\n    npm run adopt -- --help");
  else if (vault.storage_type !== "file")
    problems.push(`its data is in the storage ${vault.storage_type}; only file is brought over here.`);
  if (vault.type !== "shamir")
    problems.push(
      `it is unsealed by ${vault.type}, and this program unseals with key shares.\n    https://developer.hashicorp.com/vault/docs/concepts/seal#seal-migration`,
    );
  if (vault.sealed)
    problems.push(
      `it is sealed, and the shares are proved at one that is not.\n    ${kubectl} exec -it vault-0 -- vault operator unseal`,
    );
  if (isNewer(vault.version, version))
    problems.push(
      `it is Vault ${vault.version}, newer than the ${version} of this program: data of a newer one is not read safely.`,
    );
  return problems;
}

/** Whether a version is newer than another, as far as both say three numbers. */
export function isNewer(version: string, than: string): boolean {
  const parts = (text: string) => /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [one, other] = [parts(version), parts(than)];
  if (one === undefined || other === undefined) return false;
  const at = one.findIndex((part, at) => part !== other[at]);
  return at >= 0 && (one[at] ?? 0) > (other[at] ?? 0);
}

/** Audit devices that the new nodes could not write: a Vault none of whose devices can be opened does not unseal. */
export function auditProblems(
  devices: AuditDevices["data"],
  { stack, namespace, audits }: { stack: string; namespace: string; audits: boolean },
): string[] {
  return Object.entries(devices).flatMap(([path, { options }]) => {
    const file = options.file_path;
    if (file === undefined || file === "stdout" || file === "discard") return [];
    if (file === `${auditFolder}/audit.log` && path === "file/")
      return audits
        ? []
        : [
            `its audit device writes to ${file}, and the stack's nodes have no volume for that.\n    pulumi config set audit.enabled true --stack ${stack}`,
          ];
    return [
      `its audit device ${path} writes to ${file}, which the stack's nodes do not have.\n    kubectl --namespace ${namespace} exec -it vault-0 -- vault audit disable ${path}`,
    ];
  });
}
