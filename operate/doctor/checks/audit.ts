import { auditFolder } from "../../../components/vault-rules.ts";
import { commandsOf } from "../../views/commands.ts";
import { auditFails } from "../evidence/audit-fails.ts";
import { type Disk, diskInWords } from "../evidence/disk.ts";
import type { Evidence } from "../evidence/evidence.ts";
import type { Check, Finding } from "../finding.ts";
import { rotation } from "../rotation.ts";

/**
 * From here on, of 100, as for the data. An audit log only grows: at 85 % about a sixth of the time is left that it took
 * to get there, at 95 % a twentieth.
 */
const [warns, full] = [85, 95];

/** Where the audit is a part of the stack: whether each node can write it, and whether Vault does. */
export const audit: Check = {
  looks: `the audit log, where the stack has one: its disk (a finding from ${warns} % on, a fault from ${full} % on), and that Vault writes it`,
  *find(evidence) {
    const { pulumi, audit, auditDisks, vault } = evidence;
    if (!pulumi.audits) return;
    for (const [node, { value, failed }] of Object.entries(auditDisks)) {
      if (failed !== undefined) yield { notLooked: `the disk of the audit log of ${node}: ${failed}` };
      else if (value.usedPercent > warns) yield filled(evidence, node, value);
    }
    const leads = Object.entries(vault).find(([, { value }]) => value?.leads)?.[0];
    if (leads === undefined) return;
    if (auditFails(evidence)) yield blocked(evidence, leads);
    // A token that is refused is told by its own check.
    else if (audit?.failed !== undefined && !/with 403/.test(audit.failed))
      yield { notLooked: `the audit devices: ${audit.failed}` };
    else if (audit?.value && !Object.values(audit.value.devices).includes(logOf(evidence, leads)))
      yield off(evidence, leads);
  },
};

/** The file that the stack's device writes. */
function logOf({ auditDisks }: Evidence, node: string): string {
  return `${auditDisks[node]?.value?.folder ?? auditFolder}/audit.log`;
}

function filled(evidence: Evidence, node: string, value: Disk): Finding {
  const { subject } = evidence;
  const isFull = value.usedPercent > full;
  const leads = evidence.vault[node]?.value?.leads === true;
  return {
    id: isFull ? "audit-disk-full" : "audit-disk-filling",
    nodes: [node],
    wrong: `the disk of the audit log of ${node} ${isFull ? "is full" : "fills up"}`,
    evidence: [{ asked: `df -P -k ${value.folder} in ${node}`, answered: diskInWords(value) }],
    means: `Vault answers nothing that it cannot write down: once the leader's disk is full, every request with a token fails. ${
      leads ? "This node leads." : "This node does not lead, and writes little until it does."
    }`,
    next: rotation(subject, node, logOf(evidence, node)),
  };
}

function blocked(evidence: Evidence, node: string): Finding {
  const { subject, audit, logs } = evidence;
  const { kubectl, up } = commandsOf(subject);
  const log = logs[node]?.value?.trim();
  return {
    id: "audit-blocked",
    nodes: [node],
    wrong: "Vault refuses every request with a token: it cannot write its audit log",
    evidence: [
      { asked: `GET /v1/sys/audit of ${node}, which leads`, answered: audit?.failed ?? "" },
      ...(log ? [{ asked: `last lines of the log of ${node}`, answered: log }] : []),
    ],
    means:
      "Clients get 500, internal error, at once. Vault looks unsealed and healthy meanwhile, and does not step down. It serves again the moment that one audit device can write. A request that failed may have been done all the same, where only its answer could not be written down.",
    next: [
      ...rotation(subject, node, logOf(evidence, node)),
      "# where that takes too long, and another node's disk has room: it leads within seconds, and this node is unsealed again",
      `${kubectl(`delete pod ${node}`)} && ${up}`,
    ],
  };
}

function off(evidence: Evidence, node: string): Finding {
  const { subject, audit } = evidence;
  const devices = Object.entries(audit?.value?.devices ?? {});
  const log = logOf(evidence, node);
  return {
    id: "audit-off",
    nodes: [],
    wrong: "the stack has an audit log (audit.enabled), and Vault does not write it",
    evidence: [
      {
        asked: `GET /v1/sys/audit of ${audit?.value?.asked}`,
        answered:
          devices.map(([path, file]) => `${path} writes ${file ?? "no file"}`).join(", ") || "no device",
      },
      { asked: "the file that the stack has it write", answered: log },
    ],
    means:
      "Somebody has disabled the device. What is asked of Vault since then is written down nowhere; who did it is in the last lines of the log.",
    next: [
      commandsOf(subject).kubectl(`exec ${node} -- tail -n 2 ${log}`),
      commandsOf(subject).vault(node, `audit enable file file_path=${log}`),
    ],
  };
}
