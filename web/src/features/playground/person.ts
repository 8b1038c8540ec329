/** One person of the playground: their network, their sockets, what they look at. */
import { ChatClient, Changes, Network, type SocketLike } from '../../socket';
import { Chats } from './chats';
import type { TokenSource } from './credentials';
import type { FrameLog } from './frame-log';
import { personApi, ticket } from './person-api';
import { Rooms } from './rooms';

/** What is open in the middle. */
export type Opened = { readonly kind: 'room' | 'chat'; readonly id: string };

export class Person {
  readonly changes: Changes;
  readonly network: Network;
  readonly client: ChatClient;
  readonly rooms: Rooms;
  readonly chats: Chats;
  opened: Opened | undefined;
  /** Of what was asked for in the background. */
  fault: unknown;
  /** What is typed and not sent, by room and chat. */
  readonly drafts = new Map<string, string>();

  constructor(
    readonly tokens: TokenSource,
    frames: FrameLog,
    schedule: (run: () => void) => void,
  ) {
    this.changes = new Changes(schedule);
    this.network = new Network(
      (url) => new WebSocket(url) as unknown as SocketLike,
      (input, init) => fetch(input, init),
    );
    const { network } = this;
    const api = personApi(network, tokens);
    const getToken = (isRenewal: boolean): Promise<string> => ticket(network, tokens, isRenewal);
    this.client = new ChatClient({
      ...{ origin: location.origin, network, getToken },
      record: (event) => frames.write(tokens.userId, '/ws', event),
      onNews: (frame) => this.attempt(this.rooms.news(frame)),
      onReturn: () => this.attempt(this.rooms.load()),
    });
    this.rooms = new Rooms(tokens.userId, api, this.client);
    this.chats = new Chats({
      ...{ userId: tokens.userId, api, network, getToken },
      record: (event) => frames.write(tokens.userId, '/ws/chat', event),
    });
    for (const { changes } of [this.client, this.rooms, this.chats]) changes.subscribe(this.changes.tell);
    network.subscribe(this.changes.tell);
  }

  get userId(): string {
    return this.tokens.userId;
  }

  /** Connects, reads the lists, and opens the first room. */
  async start(): Promise<void> {
    this.client.connect();
    try {
      await Promise.all([this.rooms.load(), this.chats.load()]);
      const [first] = this.rooms.shown;
      if (first !== undefined && this.opened === undefined) this.open({ kind: 'room', id: first.roomId });
    } catch (fault) {
      this.fault = fault;
      this.changes.tell();
    }
  }

  open(opened: Opened): void {
    this.opened = opened;
    this.client.stopTyping();
    this.client.look(opened.kind === 'room' ? opened.id : undefined);
    if (opened.kind === 'room') this.attempt(this.rooms.open(opened.id));
    else this.chats.open(opened.id);
    this.changes.tell();
  }

  leave(): void {
    this.client.close();
    this.chats.close();
  }

  /** Does it in the background; what goes wrong is shown. */
  attempt(work: Promise<void>): void {
    work
      .then(() => (this.fault = undefined))
      .catch((fault: unknown) => {
        this.fault = fault;
      })
      .finally(this.changes.tell);
  }
}
