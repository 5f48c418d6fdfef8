import { z } from "zod";
import { orUnknown } from "../lib/inputs.ts";

/** Values of the user's own: when one changes, the resource gets a new value. */
export const keepers = orUnknown(z.record(z.string(), orUnknown(z.string().nullable()))).optional();
