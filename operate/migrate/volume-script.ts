/** Shell that brings the data of the storage "file" into Raft's store, on the volume on which it lies. */

/** A file that is there once all was brought over: from then on Raft's store is the one that counts. */
export const migratedMark = "migrated-from-file";

/** Where the first node is called by the others; it is written into Raft's configuration. */
export const firstNodeAddress = "https://vault-0.vault-internal:8201";

/**
 * To be run as `sh -c <script> sh <folder> <cluster address>`, while no Vault runs on the folder. Nothing of the file
 * storage is moved or changed: Vault reads it through links, so that Raft's files, which lie beside it, are no part of
 * it. What an attempt that was cut off has left of Raft is taken away first. Ends with 3 where it cannot begin.
 */
export const migrationScript = `set -eu
data=$1
mark="$data/${migratedMark}"
if [ -e "$mark" ]; then
  since=$(find "$data" -type f -newer "$mark" ! -path "$data/raft/*" ! -path "$data/vault.db" ! -path "$data/node-id" | head -n 1)
  if [ -z "$since" ]; then echo "it is brought over already"; exit 0; fi
  # The Standalone has served since. It counts again, unless Raft was written, too: then somebody has to choose.
  if [ -n "$(find "$data/vault.db" -newer "$mark")" ]; then
    echo "both the file storage and Raft were written since the data was brought over; which of them counts is not known here. Without $data/vault.db, $data/raft and $mark it is the file storage" >&2
    exit 3
  fi
  rm "$mark"
fi
if [ ! -e "$data/core/_keyring" ]; then echo "there is no data of the storage file in $data" >&2; exit 3; fi
rm -rf "$data/vault.db" "$data/raft" "$data/node-id"
used=$(du -sk "$data" | awk '{ print $1 }')
free=$(df -P -k "$data" | awk 'END { print $4 }')
# Raft has each entry in its log and in its database, which begin with 16 MiB each.
need=$((used * 2 + 65536))
if [ "$free" -lt "$need" ]; then
  echo "the volume has $free KiB left, and $need KiB are needed beside the $used KiB that are there" >&2
  exit 3
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/file"
for each in "$data"/*; do
  case $each in
    */lost+found) ;;
    *) ln -s "$each" "$work/file/" ;;
  esac
done
# The multiplier is that of this one election, of one node; it is written nowhere.
cat >"$work/migrate.hcl" <<END
storage_source "file" {
  path = "$work/file"
}
storage_destination "raft" {
  path                   = "$data"
  node_id                = "vault-0"
  performance_multiplier = "1"
}
cluster_addr = "$2"
END
# An attempt that was killed has left its lock in the source, with which no Vault starts there again.
vault operator migrate -reset -config="$work/migrate.hcl"
if ! vault operator migrate -config="$work/migrate.hcl"; then
  vault operator migrate -reset -config="$work/migrate.hcl"
  rm -rf "$data/vault.db" "$data/raft"
  exit 1
fi
sync
touch "$mark"
sync`;
