/** One thing that is built once and kept: a program, a folder of Debian packages, an image. */
export interface Part {
  /** Name of its folder in the store, before the key: "node-image". Lower case, digits and hyphens. */
  name: string;
  /** What is being made, for the progress line: "Kubernetes 1.36.3 from its Go modules". */
  says: string;
  /** Parts that are made before this one. Their keys are part of this part's key. */
  needs: Part[];
  /**
   * Files or folders of the checkout whose content decides the result, from the checkout's root:
   * "offline/node/entry.sh". They are hashed at every run, so they are to be small.
   */
  inputs: string[];
  /** Whatever else decides the result: versions, flags, names. Any text. */
  recipe: string;
  /** It keeps every core busy by itself. Heavy parts are made one at a time, light ones beside them. */
  heavy: boolean;
  /**
   * Makes the part. What it leaves in `out` (an empty folder) is the result; it gets its name in the
   * store only after this promise is kept. A rejected promise or a killed process leaves nothing.
   */
  make(at: Making): Promise<void>;
}

/** What a part is given to work with. */
export interface Making {
  /** Absolute path of an empty folder that becomes the part's folder in the store. */
  out: string;
  /** Absolute path of the finished folder of one of the part's `needs`. Any other part is an error. */
  from(part: Part): string;
  /** Takes what the commands print. See `run` in run.ts. */
  log: Log;
}

/** A part's log: a file that the error messages name. */
export interface Log {
  /** Absolute path of the file. It stays after a failure. */
  path: string;
  /** Adds text as it is (the caller ends its lines). */
  write(text: string): void;
}
