/**
 * A builder as a process of its own, for the store's tests: makes one part, and tells on standard output what
 * happens. Arguments: cache folder, checkout folder, and the file whose appearance lets `make` end.
 * Each begin of `make` adds a line to <checkout>/begun.
 */
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { buildParts } from "../../offline/lib/build-parts.ts";
import type { Part } from "../../offline/lib/part.ts";
import { Store } from "../../offline/lib/store.ts";

export const slowPart = (checkout: string, gate: string): Part => ({
  name: "slow",
  says: "a part that waits for a file",
  needs: [],
  inputs: [],
  recipe: "1",
  heavy: false,
  async make({ out }) {
    appendFileSync(join(checkout, "begun"), "begun\n");
    writeFileSync(join(out, "half"), "half");
    while (!existsSync(gate)) await wait(10);
    writeFileSync(join(out, "whole"), "whole");
  },
});

if (import.meta.main) {
  const [cache = "", checkout = "", gate = ""] = process.argv.slice(2);
  const brought = await buildParts([slowPart(checkout, gate)], {
    store: new Store({ cache, checkout }),
    onProgress: ({ kind }) => console.log(kind),
  });
  console.log(brought[0]?.how);
}
