/** How messages name a setting, and the commands that change it. */
import { show } from "../components/values-file.ts";
import { shellWord } from "../setup/shell-word.ts";
import type { Key } from "./list.ts";

/** Before each key in a stack's configuration: the project's name, as Pulumi.yaml has it. */
export const prefix = "vault-ha:";

/** The command that sets a value, or one to be filled in. */
export const mend = (key: Key, value: string | undefined) => `pulumi config set ${key} ${value ?? "<value>"}`;

/** A key as a message names it: an odd one in quotes, and short. */
export const shown = (key: string) => (isPlain(key) ? key : show(key));
/** An odd key is named in full, so that it is neither a flag nor the key of another project. */
export const removal = (key: string) => `pulumi config rm ${isPlain(key) ? key : shellWord(prefix + key)}`;
const isPlain = (key: string) => /^\w[\w.-]{0,100}$/.test(key);
