/** The AI chats of one person, and the one that is open. */
import { type Api, bodyOf, type components } from '../../api/client';
import { Changes, Chat, type ChatPageMessage, type Network, type Recorder } from '../../socket';

export type ChatEntry = Pick<components['schemas']['ChatDto'], 'id' | 'title'>;

const PAGE = 50;
const MOST_TURNS = 100;

interface ChatsOptions {
  readonly userId: string;
  readonly api: Api;
  readonly network: Network;
  readonly getToken: (isRenewal: boolean) => Promise<string>;
  readonly record: Recorder;
}

export class Chats {
  readonly changes = new Changes();
  entries: readonly ChatEntry[] = [];
  hasMore = false;
  current: Chat | undefined;
  /** Of what was asked for over REST. */
  fault: unknown;
  isRegenerating = false;

  constructor(private readonly options: ChatsOptions) {}

  async load(): Promise<void> {
    await this.fetch(0);
  }

  async more(): Promise<void> {
    await this.fetch(this.entries.length);
  }

  async create(title: string): Promise<string> {
    const { api, userId } = this.options;
    const chat = await bodyOf(api.POST('/api/v1/chats', { body: { user_id: userId, title } }));
    this.entries = [chat, ...this.entries];
    this.changes.tell();
    return chat.id;
  }

  open(chatId: string): void {
    if (this.current?.chatId === chatId) return;
    this.close();
    const { network, getToken, record } = this.options;
    const chat: Chat = new Chat({
      ...{ origin: location.origin, chatId, network, getToken, record },
      onOpen: () => void this.said(chat).catch(() => undefined),
    });
    chat.changes.subscribe(this.changes.tell);
    this.current = chat;
    this.fault = undefined;
    chat.connect();
    this.changes.tell();
  }

  close(): void {
    const { current } = this;
    this.current = undefined;
    current?.close();
    this.changes.tell();
  }

  /** Has the last answer written anew. */
  async regenerate(): Promise<void> {
    const { current: chat } = this;
    const last = chat?.answers.all.findLast(({ role, status }) => role === 'assistant' && status !== 'superseded');
    if (chat === undefined || last === undefined) return;
    this.fault = undefined;
    this.isRegenerating = true;
    chat.answers.superseded(last.id);
    this.changes.tell();
    try {
      const path = { chat_id: chat.chatId };
      await bodyOf(this.options.api.POST('/api/v1/chats/{chat_id}/regenerate', { params: { path }, body: {} }));
    } catch (fault) {
      this.fault = fault;
    } finally {
      this.isRegenerating = false;
      // Whether the one before was replaced is known by the page alone.
      await this.said(chat).catch(() => undefined);
      this.changes.tell();
    }
  }

  private async fetch(offset: number): Promise<void> {
    const { api, userId } = this.options;
    const params = { path: { user_id: userId }, query: { limit: PAGE, offset } };
    const page = await bodyOf(api.GET('/api/v1/chats/user/{user_id}', { params }));
    const known = offset === 0 ? [] : this.entries;
    this.entries = [...known, ...page.chats.filter(({ id }) => !known.some((entry) => entry.id === id))];
    this.hasMore = page.has_more;
    this.changes.tell();
  }

  private async said(chat: Chat): Promise<void> {
    const params = { path: { chat_id: chat.chatId }, query: { limit: MOST_TURNS, order: 'desc' } } as const;
    const page = await bodyOf(this.options.api.GET('/api/v1/chats/{chat_id}/messages', { params }));
    // Only with `format=ui` they would be others.
    chat.answers.page(page.messages as readonly ChatPageMessage[]);
    this.changes.tell();
  }
}
