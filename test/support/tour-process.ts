/**
 * A tour as a process of its own that kills itself once a step has been told. Standard input: JSON with what is
 * toured and the step's name.
 */
import { text } from "node:stream/consumers";
import { takeTour } from "../../operate/tour/tour.ts";

const { toured, killedAt } = JSON.parse(await text(process.stdin));
await takeTour(toured, {
  tell: ({ name }) => {
    if (name === killedAt) process.kill(process.pid, "SIGKILL");
  },
  say: console.error,
  signal: new AbortController().signal,
});
