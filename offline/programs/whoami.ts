import { goPart } from "../lib/go-part.ts";

/** `whoami`: answers HTTP requests with what it was asked, as traefik/whoami does. Our own. */
export const whoami = goPart({
  name: "whoami",
  says: "whoami",
  folder: "whoami",
  programs: [{ name: "whoami", package: "." }],
  light: true,
});
