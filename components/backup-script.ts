/** Shell that saves one snapshot of Vault to a folder, in a pod of Vault's own image: it has `vault`, sh and busybox. */

/**
 * To be run as `sh -c <script>`. It takes from its environment: FOLDER and KEEP; STACK, which begins each name; MOUNT
 * and ROLE, by which it logs in with the service account's token in the file JWT; RECORD, the file for what it did; and
 * what `vault` wants to reach the node that leads.
 *
 * The snapshot gets its name once it is whole, as those of `npm run snapshot` do, and with the same record beside it.
 * The token is never in arguments or on disk: it is in the environment of the one process that needs it, and ends by
 * itself after minutes. A file, also one in memory, would have to be taken away by somebody.
 */
export const backupScript = `set -eu
umask 077
cd "$FOLDER"
# Only one is at work at a time: what lies there under such a name was cut off.
rm -f .*.part
snap=".$STACK.snap.part"
trap 'rm -f .*.part' EXIT
trap 'exit 143' TERM INT
token=$(vault write -field=token "auth/$MOUNT/login" "role=$ROLE" "jwt=@$JWT")
saved=$(date -u +%Y-%m-%dT%H:%M:%SZ)
status=$(vault status -format=json)
VAULT_TOKEN="$token" vault operator raft snapshot save "$snap"
# Computes the checksums in it anew.
facts=$(vault operator raft snapshot inspect -details=false -format=json "$snap")
number() { printf '%s\\n' "$facts" | sed -n 's/^ *"'"$1"'": \\([0-9][0-9]*\\),*$/\\1/p' | head -n 1; }
text() { printf '%s\\n' "$status" | sed -n 's/^ *"'"$1"'": "\\([^"]*\\)",*$/\\1/p' | head -n 1; }
index=$(number Index)
term=$(number Term)
size=$(wc -c <"$snap" | tr -d ' ')
sha256=$(sha256sum <"$snap" | cut -d ' ' -f 1)
if [ -z "$index" ] || [ -z "$term" ]; then echo "the snapshot does not say its raft index: $facts" >&2; exit 1; fi
name="$STACK-$(printf %s "$saved" | tr -d ':-')-$index.snap"
record=$(printf '{"version":1,"stack":"%s","clusterId":"%s","savedAt":"%s","vaultVersion":"%s","index":%s,"term":%s,"size":%s,"sha256":"%s"}' \\
  "$STACK" "$(text cluster_id)" "$saved" "$(text version)" "$index" "$term" "$size" "$sha256")
printf '%s\\n' "$record" >".$STACK.json.part"
sync
mv ".$STACK.json.part" "$name.json"
mv "$snap" "$name"
sync
list() { ls -1 | grep "^$STACK-[0-9]*T[0-9]*Z-[0-9]*[.]snap\\$" | sort -r; }
list | tail -n "+$((KEEP + 1))" | while read -r old; do rm -f "$old" "$old.json"; done
{
  printf '{"file":"%s","record":%s,"kept":[' "$name" "$record"
  comma=
  list | while read -r each; do
    printf '%s["%s",%s]' "$comma" "$each" "$(wc -c <"$each" | tr -d ' ')"
    comma=,
  done
  printf ']}\\n'
} >"$RECORD"
echo "saved $name ($size bytes, raft index $index)"
`;
