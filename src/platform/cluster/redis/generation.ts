/**
 * Which generation of Redis' memory this node knows (membership-scripts.ts): what every answer carries, and where the leases
 * and the registry tell each other what theirs have said.
 */
export class Generation {
  private id = '';
  private handler: (mustHold: boolean) => void = () => undefined;

  /** @param changed called when one follows another */
  constructor(private readonly changed: () => void = () => undefined) {}

  /** '' as long as none is known. */
  get current(): string {
    return this.id;
  }

  /** Called for every answer. @param handler told whether Redis says that this node has not held all that it holds */
  onAnswer(handler: (mustHold: boolean) => void): void {
    this.handler = handler;
  }

  /** @param id '' where Redis has none */
  answered(id: string, mustHold = false): void {
    if (id !== '' && id !== this.id) {
      const isFirst = this.id === '';
      this.id = id;
      if (!isFirst) this.changed();
    }
    this.handler(mustHold);
  }
}
