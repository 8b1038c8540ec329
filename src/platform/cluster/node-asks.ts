import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { nodeAddress } from '../../common/ids';
import { OnStop, StopStage } from '../lifecycle';
import { Bus, NodeRegistry, type Topic, type Unsubscribe } from './ports';

/** What nodes can be asked: `const X: NodeQuestion<Q, A> = 'x'`. Both are JSON values. */
export type NodeQuestion<Q, A> = string & { readonly __asked?: Q; readonly __answer?: A };

interface Asked {
  readonly id: string;
  readonly asker: string;
  readonly name: string;
  readonly question: unknown;
}

interface Answered {
  readonly id: string;
  readonly answer: unknown;
}

const ASKS: Topic<Asked> = 'asks';
const ANSWERS: Topic<Answered> = 'answers';
/** A node that is well answers within milliseconds. */
const PATIENCE_MS = 1000;

/** What came of a question. */
export interface NodeAnswers<A> {
  /** By the id of the node that gave it. */
  readonly answers: ReadonlyMap<string, A>;
  /** Nodes that are there and did not answer. */
  readonly silent: readonly string[];
}

/** One question that waits. */
class Waiting {
  readonly answers = new Map<string, unknown>();
  private settle: () => void = () => undefined;
  private readonly timer: NodeJS.Timeout;
  readonly over: Promise<void>;

  constructor(
    private readonly expected: ReadonlySet<string>,
    ms: number,
  ) {
    this.over = new Promise((resolve) => (this.settle = resolve));
    this.timer = setTimeout(() => this.end(), ms);
  }

  take(node: string, answer: unknown): void {
    if (!this.expected.has(node)) return;
    this.answers.set(node, answer);
    if (this.answers.size === this.expected.size) this.end();
  }

  end(): void {
    clearTimeout(this.timer);
    this.settle();
  }
}

/**
 * Asks the other nodes for what only their memory knows, for administrators: never in the way of a message.
 *
 * Invariants: nobody waits longer than a second, nor at all where the bus is down or there is no other node; what did not
 * answer is named, never taken for "nothing". An answer is as old as its way. A handler that throws does not answer.
 */
@Injectable()
export class NodeAsks {
  private readonly handlers = new Map<string, (question: never) => unknown>();
  private readonly waiting = new Map<string, Waiting>();
  private readonly unsubscribe: readonly Unsubscribe[];

  constructor(
    private readonly bus: Bus,
    private readonly nodes: NodeRegistry,
  ) {
    void bus.follow(nodeAddress(this.self));
    this.unsubscribe = [
      bus.subscribe(ASKS, ({ payload }) => void this.hear(payload)),
      bus.subscribe(ANSWERS, ({ node, payload }) => this.waiting.get(payload.id)?.take(node, payload.answer)),
    ];
  }

  /** Says how this node answers; one handler for each question. */
  answer<Q, A>(name: NodeQuestion<Q, A>, handler: (question: NoInfer<Q>) => NoInfer<A> | Promise<NoInfer<A>>): void {
    this.handlers.set(name, handler);
  }

  /** Resolves when all other nodes have answered, or after a second. Never rejects. */
  async ask<Q, A>(name: NodeQuestion<Q, A>, question: NoInfer<Q>): Promise<NodeAnswers<A>> {
    const others = this.bus.isShared ? await this.others() : [];
    if (others.length === 0 || this.bus.state === 'down') return { answers: new Map(), silent: others };
    const waiting = new Waiting(new Set(others), PATIENCE_MS);
    const id = randomUUID();
    this.waiting.set(id, waiting);
    this.bus.publish(ASKS, { id, asker: this.self, name, question });
    await waiting.over;
    this.waiting.delete(id);
    const answers = waiting.answers as ReadonlyMap<string, A>;
    return { answers, silent: others.filter((node) => !answers.has(node)) };
  }

  @OnStop(StopStage.log)
  end(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    for (const waiting of this.waiting.values()) waiting.end();
    this.bus.unfollow(nodeAddress(this.self));
  }

  private get self(): string {
    return this.nodes.self.nodeId;
  }

  private async others(): Promise<string[]> {
    const nodes = await this.nodes.nodes().catch(() => []);
    return nodes.map(({ nodeId }) => nodeId).filter((nodeId) => nodeId !== this.self);
  }

  private async hear({ id, asker, name, question }: Asked): Promise<void> {
    const handler = this.handlers.get(name);
    if (asker === this.self || handler === undefined) return;
    try {
      const answer = await handler(question as never);
      this.bus.publish(ANSWERS, { id, answer }, nodeAddress(asker));
    } catch {
      // The asker names this node as one that did not answer.
    }
  }
}
