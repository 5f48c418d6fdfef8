/** A vault program that knows the storage `file`: HashiCorp's own does, the closed network's does not. */
import { vault } from "../../offline/go.ts";
import { buildParts } from "../../offline/lib/build-parts.ts";
import { goPart } from "../../offline/lib/go-part.ts";
import { Store } from "../../offline/lib/store.ts";
import { loadSources } from "../../sources.ts";
import { vaultFolder } from "./vault-program.ts";

const { programs, edits } = JSON.parse(vault.recipe);

/** The closed network's Vault, built once more with that storage added, as the tag `minimal` leaves it out. */
const withFiles = goPart({
  name: "vault-with-files",
  says: `${vault.says}, with storage "file"`,
  folder: "vault",
  programs,
  edits: [
    ...edits,
    {
      module: "github.com/hashicorp/vault",
      file: "command/commands_min.go",
      changes: [
        {
          find: "^import \\(\\n",
          by: 'import (\n\tphysFile "github.com/hashicorp/vault/sdk/physical/file"\n',
        },
        {
          find: "^func extendAddonHandlers\\(\\*vaultHandlers\\) \\{\\n\\t// No-op\\n",
          by: 'func extendAddonHandlers(handlers *vaultHandlers) {\n\thandlers.physicalBackends["file"] = physFile.NewFileBackend\n',
        },
      ],
    },
  ],
});

/** The folder with such a `vault` in it, to be put first on PATH. */
export async function vaultWithFiles(): Promise<string> {
  if (loadSources().images === "official") return await vaultFolder();
  const store = new Store();
  await buildParts([withFiles], { store });
  return store.path(withFiles);
}
