/** Changes a Vault's shares in a process of its own, for tests that kill it: what it is to do comes on standard input. */
import { text } from "node:stream/consumers";
import { rekey } from "../../operate/rotation/rekey.ts";
import { openRoad } from "../../steps/lib/reach.ts";
import { Target } from "../../steps/lib/target.ts";

const input = JSON.parse(await text(process.stdin));
const target = Target.parse(input.target);
await rekey(input.numbers, {
  ...target,
  road: await openRoad(target),
  pods: input.pods,
  say: (line) => console.error(line),
  signal: new AbortController().signal,
  timeoutSeconds: 20,
});
process.exit(0);
