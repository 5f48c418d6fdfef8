/** A vault program that is older than the one that the stacks run: what an upgrade begins at. */
import { vault } from "../../offline/go.ts";
import { buildParts } from "../../offline/lib/build-parts.ts";
import { goPart } from "../../offline/lib/go-part.ts";
import { Store } from "../../offline/lib/store.ts";

/**
 * As the program says it. The Go module of another minor release cannot be compiled: Vault's own library `sdk` of that
 * release was never published by itself.
 */
export const olderVersion = "1.21.0";

const { programs, edits } = JSON.parse(vault.recipe);

/** For tests alone: no set-up builds it. It shares its libraries with the stacks' Vault, so that it takes a minute. */
const older = goPart({
  name: "vault-older",
  says: `Vault ${olderVersion}`,
  folder: "vault-older",
  programs: programs.map((program: object) => ({
    ...program,
    variables: { "github.com/hashicorp/vault/version.fullVersion": olderVersion },
  })),
  edits,
});

/** The program's path. Built where it is not there yet. */
export async function olderVault(): Promise<string> {
  const store = new Store();
  await buildParts([older], { store });
  return `${store.path(older)}/vault`;
}
