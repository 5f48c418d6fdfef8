/** An answer of Vault other than success, in Vault's own words. It never holds what was sent. */
export class VaultError extends Error {
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The list `errors` of the answer, as Vault words it. */
  readonly errors: readonly string[];

  constructor(node: string, method: string, path: string, status: number, errors: readonly string[]) {
    const own = errors.length > 0 ? errors.map((text) => text.trim()).join("; ") : "no words of its own";
    super(`${node} answered ${method} /v1/${path} with ${status}: ${own}`);
    this.name = "VaultError";
    this.status = status;
    this.errors = errors;
  }

  /**
   * Whether waiting may help: a redirect (a standby that cannot forward to a leader), 412 and 429 (a standby that
   * has not caught up, a limit), 472/473, and 5xx (sealed, no leader, a failure inside).
   */
  get mayPass(): boolean {
    return this.status === 307 || this.status === 412 || this.status === 429 || this.status >= 472;
  }
}
