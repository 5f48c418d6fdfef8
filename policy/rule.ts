/** What a rule is, and what it is told. Rules are plain functions on plain data; pack.ts brings them to Pulumi. */
import type { Settings } from "../config.ts";

/** A resource as a rule sees it. What is not known yet, as in a first preview, is left out. */
export interface Resource {
  /** Its name in the program, such as vault-release. */
  name: string;
  /** Inputs or outputs, secrets in the clear: no message may repeat one. */
  props: Record<string, unknown>;
  /** The same without what is secret. */
  plain: Record<string, unknown>;
}

/** The stack that a rule judges. */
export interface Stack {
  name: string;
  /** undefined where they are wrong: the program itself refuses them. */
  settings: Settings | undefined;
}

export interface Rule {
  /** In Pulumi's output, and in docs/policy.md. */
  name: string;
  /** What is asked for, and why it matters. Stands before what was found. */
  says: string;
  /**
   * Names of the resources whose inputs it looks at, before they are made. Without: the outputs of every resource, and
   * the stack's own, at the end.
   */
  of?: readonly string[];
  /** One text for each thing that is wrong: what was found, and the command that mends it. */
  find(resource: Resource, stack: Stack): string[];
}

/** The stack on a laptop, and others of its kind (dev-anna): violations are shown there, and hold nothing up. */
export const isDevelopment = (stack: string): boolean => /^dev(-|$)/.test(stack);

/** What was found, and on a line of its own the command that mends it. */
export const finding = (found: string, mend: string): string => `${found}\n  ${mend}`;
