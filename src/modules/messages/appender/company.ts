/** How long a tenant that has sent is believed to send again, in ms. */
const COMPANY_MS = 1000;

/** Knows whether one tenant sends alone or several do. */
export class Company {
  private last: string | undefined;
  private until = -Infinity;

  /** @param now a monotonic time, in ms */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A tenant sends. */
  note(tenant: string): void {
    if (tenant === this.last) return;
    if (this.last !== undefined) this.until = this.now() + COMPANY_MS;
    this.last = tenant;
  }

  /** Several tenants have sent by turns a moment ago. */
  get isMixed(): boolean {
    return this.now() < this.until;
  }
}
