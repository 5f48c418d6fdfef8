import { commandsOf } from "../../views/commands.ts";
import { diskInWords } from "../evidence/disk.ts";
import type { Check } from "../finding.ts";

/** From here on, of 100, a disk is worth a warning, and a fault: raft needs room for its log and the next snapshot. */
const [warns, full] = [85, 95];

/** Whether the disks under Vault's data have room. */
export const disk: Check = {
  looks: `the disk under each node's data (a finding from ${warns} % on, a fault from ${full} % on)`,
  *find({ subject, disks }) {
    const { kubectl } = commandsOf(subject);
    for (const [node, { value, failed }] of Object.entries(disks)) {
      if (failed !== undefined) yield { notLooked: `the disk of ${node}: ${failed}` };
      if (value === undefined || value.usedPercent <= warns) continue;
      const isFull = value.usedPercent > full;
      yield {
        id: isFull ? "disk-full" : "disk-filling",
        nodes: [node],
        wrong: isFull ? `the disk of ${node} is full` : `the disk of ${node} fills up`,
        evidence: [
          {
            asked: `df -P -k ${value.folder} in ${node}`,
            answered: diskInWords(value),
          },
        ],
        means: isFull
          ? "Vault cannot write its raft log or a snapshot: the node stops, and a leader that cannot write steps down."
          : "Raft writes a snapshot beside the old one, and the database never shrinks by itself. At 95 % this is a fault.",
        next: [
          kubectl(`exec ${node} -- du -k -d 2 ${value.folder}`),
          "# on kind the volumes share this machine's disk: docker system df",
        ],
      };
    }
  },
};
