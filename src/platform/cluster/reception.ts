/**
 * What a node has heard of each other node, by the numbers that each gives its envelopes, from 1 and per stream. Numbers
 * say that something is missing, never what: a number that does not follow the last one is a gap.
 *
 * A node of which nothing was heard yet counts as heard up to 0. For a bus between processes, and the tests' one that loses.
 */
export class HeardNumbers {
  private readonly nodes = new Map<string, Map<number, number>>();

  /** An envelope has come; returns whether one before it is missing. Late and doubled ones are none. */
  hear(node: string, stream: number, n: number): boolean {
    const last = this.last(node, stream);
    if (n > last) this.set(node, stream, n);
    return n > last + 1;
  }

  /** The node says that it has published up to `n`; returns whether that has not all come. */
  compare(node: string, stream: number, n: number): boolean {
    const last = this.last(node, stream);
    if (n > last) this.set(node, stream, n);
    return n > last;
  }

  forget(node: string): void {
    this.nodes.delete(node);
  }

  private last(node: string, stream: number): number {
    return this.nodes.get(node)?.get(stream) ?? 0;
  }

  private set(node: string, stream: number, n: number): void {
    const streams = this.nodes.get(node) ?? new Map<number, number>();
    this.nodes.set(node, streams.set(stream, n));
  }
}
