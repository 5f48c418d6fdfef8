import { local } from "@pulumi/command";

// Each step writes the id of its process group and then waits, with a child, for longer than the test lasts.
const wait = "sleep 61.18 & sleep 61.18";
const says = (name: string) => `echo $$ > ${process.env.STEP_FILES}/${name}`;

new local.Command("obedient", { create: `${says("obedient")}; ${wait}` });
new local.Command("stubborn", { create: `trap '' TERM; ${says("stubborn")}; ${wait}` });
