import { commandsOf, sharesCommand } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether the journal is there, and is this machine's user's alone. */
export const journal: Check = {
  looks: "the journal with the shares and the root token, and its mode",
  *find({ subject, files, journal, pulumi, vault }) {
    const { kubectl } = commandsOf(subject);
    const { path, mode } = files.journal;
    const initialised = Object.entries(vault).find(([, { value }]) => value?.initialised)?.[0];
    const first = subject.pods[0] ?? "vault-0";
    if (mode !== undefined && (mode & 0o077) !== 0) {
      yield {
        id: "journal-readable",
        nodes: [],
        wrong: `${path} may be read by others on this machine`,
        evidence: [
          { asked: `mode of ${path}`, answered: `0${mode.toString(8).padStart(3, "0")}, wanted 0600` },
        ],
        means:
          "It holds the key shares and the root token in clear. Steps refuse to use it as it is. If anybody but you had access to this machine, treat the keys as known.",
        next: [`chmod 600 ${path}`],
      };
      return;
    }
    if (journal.failed !== undefined) {
      yield {
        id: "journal-unreadable",
        nodes: [],
        wrong: `${path} cannot be read`,
        evidence: [{ asked: `read ${path}`, answered: journal.failed }],
        means: "It may hold the only copy of Vault's keys. Keep it as it is.",
        next: [`ls -l ${path}`, sharesCommand(subject)],
      };
      return;
    }
    if (journal.value === undefined && initialised !== undefined) {
      const inState = pulumi.nodes[first]?.done.includes("init");
      yield {
        id: "journal-missing",
        nodes: [],
        wrong: `${path} is not there, and Vault is initialised`,
        evidence: [
          { asked: `read ${path}`, answered: "no such file" },
          { asked: `GET /v1/sys/seal-status of ${initialised}`, answered: "initialized: true" },
          {
            asked: "Pulumi's state: the step init",
            answered: inState ? "is in it, with the keys" : "is not in it",
          },
        ],
        means: inState
          ? "The only copy of the keys is in Pulumi's state, encrypted with .local/passphrase. A run after a lost state would not know them."
          : "This Vault was initialised by somebody else, or its keys are lost. Nobody can unseal it without them.",
        next: inState
          ? [`pulumi stack export --stack ${subject.stack} > <a safe place>`, sharesCommand(subject)]
          : [
              "# put the journal back from a copy, mode 0600; else see docs/init.md",
              kubectl(`get pvc data-${first} --output yaml`),
            ],
      };
    }
    if (journal.value && journal.value.initialisedAt === undefined && vault[first]?.value?.initialised)
      yield {
        id: "answer-lost",
        nodes: [],
        since: journal.value.intendedAt,
        wrong: "Vault is initialised, and its answer with the keys never reached the journal",
        evidence: [
          { asked: `read ${path}`, answered: `an intent of ${journal.value.intendedAt}, and no answer` },
          { asked: `GET /v1/sys/seal-status of ${first}`, answered: "initialized: true" },
        ],
        means:
          "The run was ended between the call and the disk. docs/init.md has the way out, which loses nothing.",
        next: [commandsOf(subject).up],
      };
  },
};
