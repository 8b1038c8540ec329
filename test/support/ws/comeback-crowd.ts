import { setTimeout as pause } from 'node:timers/promises';
import { RoomView, type SeenMessage } from '../convergence/room-view';
import type { Api } from '../http/api';
import { listAll } from '../messages';
import { type ServerFrame, WsClient } from './client';
import { STORM_MS } from './reconnecting-clients';

/** Between two tries of a client to connect: nothing tells it when a dead server is back. */
const RETRY_MS = 20;

/** Somebody who comes back: by which headers, and to which rooms. */
export interface Returning {
  readonly userId: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly roomIds: readonly string[];
}

/** A client that acknowledges nothing, comes back whenever its connection ends, and keeps what each connection was told. */
export class ReturningClient {
  /** One after another, the last one is open or the client waits to connect. */
  readonly connections: WsClient[] = [];
  /** The answer to an upgrade that no patience helps against; the client has given up. */
  refused: string | undefined;
  private readonly begun: number[] = [];
  private readonly synced = new Set<string>();
  private isStopped = false;
  private running: Promise<void> = Promise.resolve();

  /** @param told called with every frame, and when a connection ends */
  constructor(
    readonly who: Returning,
    private readonly url: string,
    private readonly told: () => void,
  ) {}

  /** Whether its connection has been brought up to date in all of its rooms. */
  get isLive(): boolean {
    return this.connections.at(-1)?.isOpen === true && this.who.roomIds.every((roomId) => this.synced.has(roomId));
  }

  /** The last one; throws where there is none. */
  get connection(): WsClient {
    const last = this.connections.at(-1);
    if (last === undefined) throw new Error(`${this.who.userId} has never come in`);
    return last;
  }

  /** The connections that were begun after this time of `performance.now()`. */
  begunAfter(ms: number): WsClient[] {
    return this.connections.filter((_, n) => (this.begun[n] ?? 0) > ms);
  }

  start(): this {
    this.running = this.live();
    return this;
  }

  drop(): void {
    this.connections.at(-1)?.ws.terminate();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.drop();
    await this.running;
  }

  private async live(): Promise<void> {
    const { url, who } = this;
    while (!this.isStopped && this.refused === undefined) {
      const begun = performance.now();
      const client = await WsClient.admitted(url, { headers: who.headers }).catch((error: unknown) => {
        if (String(error).includes('the upgrade answered')) this.refused = String(error);
      });
      if (client !== undefined) {
        this.begun.push(begun);
        await this.follow(client);
      }
      await pause(RETRY_MS);
    }
  }

  /** Resolves when the connection is over. */
  private async follow(client: WsClient): Promise<void> {
    let handled = 0;
    const handle = (): void => {
      for (; handled < client.frames.length; handled++) {
        const frame = client.frames[handled];
        if (frame?.type === 'sync.complete') this.synced.add(String(frame['room_id']));
        this.told();
      }
    };
    this.connections.push(client);
    client.ws.on('message', handle);
    if (this.isStopped) client.ws.terminate();
    handle();
    await client.ended(3_600_000);
    this.synced.clear();
    this.told();
  }
}

/** Many of them, who all come at once. */
export class ComebackCrowd {
  readonly clients: readonly ReturningClient[];
  private readonly waiting = new Set<() => void>();

  constructor(url: string, those: readonly Returning[]) {
    const told = (): void => {
      for (const look of this.waiting) look();
    };
    this.clients = those.map((who) => new ReturningClient(who, url, told));
  }

  get live(): number {
    return this.clients.reduce((n, { isLive }) => n + (isLive ? 1 : 0), 0);
  }

  /** All at once. */
  start(): this {
    for (const client of this.clients) client.start();
    return this;
  }

  /** All of them lose their connection at once, and come back. */
  drop(): void {
    for (const client of this.clients) client.drop();
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  /** Resolves in the turn in which so many are live. */
  whenLive(count = this.clients.length): Promise<void> {
    return this.when(`${count} clients are live`, () => this.live >= count);
  }

  /** Resolves in the turn in which a frame, or the end of a connection, has made it so. */
  when(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`not within ${STORM_MS} ms: ${what}; ${this.live} of ${this.clients.length} are live`));
      }, STORM_MS);
      const look = (): void => {
        if (!isSo()) return;
        clearTimeout(late);
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}

/** What a connection was told of a room, in its order. */
export function toldOf({ frames }: WsClient, roomId: string): ServerFrame[] {
  return frames.filter((frame) => frame['room_id'] === roomId);
}

/**
 * What is wrong with what a connection that had nothing was told of a room: messages come once each, in order and without a
 * gap from the first that is kept, nothing that was told of one is followed by something older, nothing is left out.
 *
 * @param firsts the seqs that the room began with meanwhile
 */
export function streamFaults(frames: readonly ServerFrame[], firsts: readonly number[] = [1]): string[] {
  const faults: string[] = [];
  const revs = new Map<unknown, number>();
  let next: number | undefined;
  for (const { type, seq, rev, ...frame } of frames) {
    if (type === 'sync.truncated' && !firsts.includes(Number(frame['before_seq'])))
      faults.push('messages were left out');
    if (type === 'message') {
      const isNext = next === undefined ? firsts.includes(Number(seq)) : seq === next;
      if (!isNext) faults.push(`message ${String(seq)} came in place of ${next ?? firsts.join(' or ')}`);
      next = Number(seq) + 1;
    }
    if (!type.startsWith('message') || rev === undefined) continue;
    const before = revs.get(seq) ?? 0;
    const now = Number(rev);
    if (now < before) faults.push(`message ${String(seq)} went back from ${before} to ${now}`);
    revs.set(seq, now);
  }
  return faults;
}

/** The messages of a room as they are. */
export type Truth = readonly (SeenMessage & { readonly seq: number })[];

export async function truthOf(by: Api, roomId: string): Promise<Truth> {
  const messages = await listAll(by, roomId);
  return messages.map(({ seq, message_id: id, rev, content, deleted_at }) => ({
    ...{ seq, id, rev, content },
    isDeleted: deleted_at !== null,
  }));
}

/** Where what a connection was told of a room is not what there is. */
export function viewFaults(frames: readonly ServerFrame[], truth: Truth): string[] {
  const view = new RoomView(new Map());
  for (const frame of frames) {
    view.apply(frame);
    if (frame['first_seq'] !== undefined) view.begin(Number(frame['first_seq']));
  }
  const faults = truth.flatMap(({ seq, ...message }) => {
    const seen = view.messages.get(seq);
    return JSON.stringify(seen) === JSON.stringify(message)
      ? []
      : [`message ${seq} is ${JSON.stringify(seen)}, should be ${JSON.stringify(message)}`];
  });
  if (view.messages.size > truth.length) faults.push(`there are ${view.messages.size} messages, not ${truth.length}`);
  return faults;
}
