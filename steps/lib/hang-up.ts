/**
 * Shell that sends SIGHUP to Vault's server, which then reads its certificate and key anew. By the kernel's name of each
 * process and its first words: `vault status`, which the readiness probe runs, is named vault, too.
 */
export const hangUp = `for process in /proc/[0-9]*; do
  read -r name 2>/dev/null <"$process/comm" && [ "$name" = vault ] || continue
  tr '\\0' ' ' <"$process/cmdline" | grep -q '^[^ ]*vault server ' && kill -HUP "\${process#/proc/}"
done; true`;
