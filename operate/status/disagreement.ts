/** Two views that say different things, or one that says nothing; with the command that comes next. */
export interface Disagreement {
  /** Stable name of the kind, for programs. */
  id: string;
  /** The node it is about; absent where it is about the whole. */
  node?: string;
  says: string;
  next: string;
}
