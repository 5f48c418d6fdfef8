/**
 * Shell that does `act` for each process of Vault's server, which is `$process`, a folder of /proc. By the kernel's name
 * of each process and its first words: `vault status`, which the readiness probe runs, is named vault, too, and is gone
 * a moment later.
 */
export const eachVaultServer = (act: string) => `for process in /proc/[0-9]*; do
  read -r name 2>/dev/null <"$process/comm" && [ "$name" = vault ] || continue
  tr '\\0' ' ' <"$process/cmdline" | grep -q '^[^ ]*vault server ' && ${act}
done; true`;

/** Shell that sends SIGHUP to Vault's server, which then reads its certificate and key anew. */
export const hangUp = eachVaultServer(`kill -HUP "\${process#/proc/}"`);
