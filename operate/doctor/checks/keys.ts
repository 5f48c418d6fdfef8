import { commandsOf, sharesCommand } from "../../views/commands.ts";
import type { Check } from "../finding.ts";

/** Whether the keys are those of this Vault, as far as that can be known without sending a share. */
export const keys: Check = {
  looks:
    "whether the keys are this Vault's: journal against state, against Vault's own id, and the root token",
  *find({ subject, sameKeys, journal, files, vault, raft, pulumi }) {
    const { path } = files.journal;
    if (sameKeys.value === false)
      yield {
        id: "keys-differ",
        nodes: [],
        wrong: "the journal and Pulumi's state hold different keys",
        evidence: [
          { asked: `shares and root token of ${path}, against those of the state`, answered: "not the same" },
          {
            asked: `when ${path} was initialised`,
            answered: `${journal.value?.initialisedAt ?? "not known"}, store ${journal.value?.store ?? "not known"}`,
          },
        ],
        ...(journal.value?.changedAt
          ? {
              means: `Shares or token were changed at ${journal.value.changedAt}, and the state has those of before. The next update brings the new ones into it.`,
              next: [`npm run up -- --stack ${subject.stack}`],
            }
          : {
              means:
                "One of the two is of another Vault: a journal that was copied from elsewhere, or a state that was brought back. Unsealing with the wrong ones fails and does no harm. Keep both.",
              next: [
                `cp -p ${path} ${path}.kept`,
                "# with the shares of the state, one node at a time, the threshold number of times:",
                sharesCommand(subject),
              ],
            }),
      };
    // A journal that cannot be read is told by its own check.
    else if (sameKeys.failed !== undefined && journal.failed === undefined)
      yield { notLooked: `the keys in Pulumi's state: ${sameKeys.failed}` };
    const live = Object.entries(vault).find(([, { value }]) => value?.clusterId);
    const id = live?.[1].value?.clusterId;
    const known = journal.value?.clusterId ?? pulumi.pinned.clusterId;
    if (live && id !== undefined && known !== undefined && id !== known)
      yield {
        id: "keys-other-vault",
        nodes: [],
        wrong: "the keys are of another Vault than the one that answers",
        evidence: [
          {
            asked: journal.value?.clusterId ? `cluster id in ${path}` : "cluster id in Pulumi's state",
            answered: known,
          },
          { asked: `GET /v1/sys/seal-status of ${live[0]}: cluster_id`, answered: id },
        ],
        means: "Someone initialised or restored another Vault in these pods. These keys do not open it.",
        next: [commandsOf(subject).kubectl("get pods,pvc"), "# docs/init.md, The identity, has the ways out"],
      };
    // A standby tells the number of before a rekey until it is started anew.
    const odd = Object.entries(vault).find(
      ([, { value }]) =>
        value?.initialised &&
        value.leads !== false &&
        journal.value &&
        value.shares > 0 &&
        journal.value.shares > 0 &&
        value.shares !== journal.value.shares,
    );
    if (odd)
      yield {
        id: "keys-do-not-fit",
        nodes: [],
        wrong: "the journal holds another number of shares than Vault was initialised with",
        evidence: [
          { asked: `shares in ${path}`, answered: String(journal.value?.shares) },
          { asked: `GET /v1/sys/seal-status of ${odd[0]}: n`, answered: String(odd[1].value?.shares) },
        ],
        means:
          "The keys were made anew (rekey), or the journal is of another Vault. These shares do not open this one.",
        next: ["# find the shares of the last rekey, and keep the journal as it is", `ls -l ${path}`],
      };
    if (/with 403/.test(raft.failed ?? ""))
      yield {
        id: "token-refused",
        nodes: [],
        wrong: "Vault does not take the stack's token",
        evidence: [
          {
            asked: "GET /v1/sys/storage/raft/configuration with the stack's token",
            answered: raft.failed ?? "",
          },
        ],
        means: `It was revoked, it has run out, or it is of another Vault. This look cannot see what Raft says. ${pulumi.byHolders ? "The root token, or an administrator's, makes" : "The stack's shares make"} another one.`,
        next: [
          `npm run ${pulumi.byHolders ? "custody token" : "root generate"} -- --stack ${subject.stack}`,
          `ls -l ${path}`,
          commandsOf(subject).vault(subject.pods[0] ?? "vault-0", "operator raft list-peers"),
        ],
      };
  },
};
