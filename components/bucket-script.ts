/** Shell that brings one snapshot from a folder to a bucket, in a pod of rclone's image: it has rclone, sh and busybox. */

/**
 * To be run as `sh -c <script>`, after `backupScript` has left one snapshot and its record in FOLDER. It takes from its
 * environment: BUCKET and BUCKET_FOLDER; STACK, which begins each name; KEEP; BUCKET_SECRET, the name of the Secret that
 * the key is to come from; RECORD, the file for what it did; and what rclone wants to reach the bucket, which has the key.
 *
 * An object is there as a whole or not at all. The record goes first, so that a snapshot that is there has one. It is good
 * once it was read back and is what was sent. Only those of the same Vault are counted and removed: one that begins anew
 * under the stack's name must not push out what the former one has left.
 */
export const bucketScript = `set -eu
cd "$FOLDER"
if [ -n "$BUCKET_SECRET" ] && { [ -z "\${AWS_ACCESS_KEY_ID:-}" ] || [ -z "\${AWS_SECRET_ACCESS_KEY:-}" ]; }; then
  echo "NoKey: the Secret $BUCKET_SECRET is not there, or it lacks AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY" >&2
  exit 1
fi
pattern="^$STACK-[0-9]*T[0-9]*Z-[0-9]*[.]snap"
name=$(ls -1 | grep "$pattern\\$")
record=$(cat "$name.json")
text() { printf '%s\\n' "$record" | sed -n 's/.*"'"$1"'":"\\([^"]*\\)".*/\\1/p'; }
cluster=$(text clusterId)
sha256=$(text sha256)
if [ -z "$cluster" ] || [ -z "$sha256" ]; then echo "the snapshot's record does not say of which Vault it is: $record" >&2; exit 1; fi
to=":s3:$BUCKET/$BUCKET_FOLDER/$cluster"
rclone copyto --no-check-dest "$name.json" "$to/$name.json"
rclone copyto --no-check-dest "$name" "$to/$name"
back=$(rclone cat "$to/$name" | sha256sum | cut -d ' ' -f 1)
if [ "$back" != "$sha256" ]; then
  echo "NotWhole: what was read back from the bucket is not what was sent: SHA-256 $back, sent $sha256" >&2
  for each in "$name" "$name.json"; do rclone deletefile "$to/$each" || true; done
  exit 1
fi
list() { rclone lsf --files-only --format ps "$to/" | grep "$pattern\\([.]json\\)*;" | sort -r; }
there=$(list)
is_there() { printf '%s\\n' "$there" | grep -q "^$1;"; }
number=0
left=
for each in $(printf '%s\\n' "$there" | cut -d ';' -f 1 | sed 's/[.]json$//' | sort -ru); do
  if [ "$number" -lt "$KEEP" ] || [ "$each" = "$name" ]; then
    if is_there "$each"; then number=$((number + 1)); fi
    continue
  fi
  for old in "$each" "$each.json"; do
    is_there "$old" || continue
    if ! said=$(rclone deletefile "$to/$old" 2>&1); then
      printf '%s\\n' "$said" >&2
      left=$(printf '%s\\n' "$said" | sed -n 's/.*api error \\([A-Za-z]*\\).*/\\1/p' | head -n 1)
      left=\${left:-not removed}
    fi
  done
done
{
  printf '{"file":"%s","record":%s,"left":"%s","kept":[' "$name" "$record" "$left"
  comma=
  # As many as a pod's message holds.
  list | grep "$pattern;" | head -n 50 | while IFS=';' read -r each size; do
    printf '%s["%s",%s]' "$comma" "$each" "$size"
    comma=,
  done
  printf ']}\\n'
} >"$RECORD"
echo "saved $name to s3://$BUCKET/$BUCKET_FOLDER/$cluster, and read it back"
`;
