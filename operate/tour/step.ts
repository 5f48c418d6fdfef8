import type { z } from "zod";
import type { ApiCall } from "./api.ts";
import type { Kept } from "./curl.ts";

/** One step of a tour: what it does, what it sends, and what has to come back. */
export interface TourStep {
  name: string;
  /** What it does, for somebody who sees it for the first time. */
  says: string;
  call: ApiCall;
  /** What does the same with the command `vault`. */
  cli: string;
  /** What has to come back, and what of it is shown. */
  answer: z.ZodType;
  /** The status that has to come back, where it is a refusal. */
  refusal?: number;
  keeps?: Kept;
}

/** The name of the root token among the values. */
export const root = "VAULT_TOKEN";
/** The name of the token that the tour makes. */
export const reader = "READER_TOKEN";
