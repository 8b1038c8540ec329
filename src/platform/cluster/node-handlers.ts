import type { NodeInfo, OnHandlerError, Unsubscribe } from './ports';

/** Those who are told when nodes go, and when this one has been taken for gone. A handler that throws disturbs no other one. */
export class NodeHandlers {
  private readonly lost = new Set<{ readonly call: (node: NodeInfo) => void }>();
  private readonly returned = new Set<{ readonly call: () => void }>();

  constructor(private readonly onError: OnHandlerError) {}

  onLost(handler: (node: NodeInfo) => void): Unsubscribe {
    return added(this.lost, handler);
  }

  onReturned(handler: () => void): Unsubscribe {
    return added(this.returned, handler);
  }

  tellLost(node: NodeInfo): void {
    this.tell(this.lost, (call) => call(node), 'node-lost');
  }

  tellReturned(): void {
    this.tell(this.returned, (call) => call(), 'node-returned');
  }

  private tell<H>(handlers: Iterable<{ readonly call: H }>, run: (call: H) => void, source: string): void {
    for (const { call } of handlers) {
      try {
        run(call);
      } catch (error) {
        this.onError(error, source);
      }
    }
  }
}

/** Boxed, so that one function subscribed twice is two subscriptions. */
function added<H>(handlers: Set<{ readonly call: H }>, call: H): Unsubscribe {
  const boxed = { call };
  handlers.add(boxed);
  return () => void handlers.delete(boxed);
}

/** The same order on every node, also for nodes that started in the same millisecond. */
export function byAge(a: NodeInfo, b: NodeInfo): number {
  return a.startedAt.getTime() - b.startedAt.getTime() || (a.nodeId < b.nodeId ? -1 : 1);
}
