import { commandsOf, type Named } from "../views/commands.ts";

/** Commands that have the Vault of a node go on in a new audit log, and take the old one away, whole. */
export function rotation(subject: Named, node: string, log: string): string[] {
  const { kubectl } = commandsOf(subject);
  const old = `${log}.1`;
  const copy = `${subject.stackDir}/${node}-audit.log.1`;
  // The readiness probe is a process named vault, too, and would die of the signal.
  const server = 'tr "\\0" "\\n" </proc/$p/cmdline | grep -qx server';
  return [
    "# have Vault go on in a new file; one that was moved already and is still there is not written over:",
    kubectl(
      `exec ${node} -- sh -c 'mv -n ${log} ${old} && for p in $(pidof vault); do ${server} && kill -HUP $p; done; true'`,
    ),
    "# take the old one away, and delete it there only if both sums are the same:",
    `(umask 077 && ${kubectl(`exec ${node} -- cat ${old} > ${copy}`)})`,
    `${kubectl(`exec ${node} -- sha256sum ${old}`)}; sha256sum ${copy}`,
    kubectl(`exec ${node} -- rm ${old}`),
  ];
}
