import type { Evidence } from "./evidence/evidence.ts";

/** One line of evidence: what was asked, of whom, and what came. */
export interface Asked {
  asked: string;
  answered: string;
}

/** Something that is wrong. */
export interface Finding {
  /** Stable name of the kind, for programs. */
  id: string;
  /** The Vault nodes that suffer from it; none where the whole stack does. */
  nodes: string[];
  /** What is wrong, in one line. */
  wrong: string;
  /** Since when, as the place that was asked has it; absent where it is not known. */
  since?: string;
  evidence: Asked[];
  /** What it means for the operator. */
  means: string;
  /** The commands that come next, in their order; a line that begins with "#" is a word to the reader. */
  next: string[];
}

/** Something that could not be looked at, and why. */
export interface NotLooked {
  notLooked: string;
}

/** One question, answered from the evidence alone: a check asks nobody. */
export interface Check {
  /** What is looked at, as the end of "looked at: ...". */
  looks: string;
  find(evidence: Evidence): Iterable<Finding | NotLooked>;
}
