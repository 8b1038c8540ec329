import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry } from './message-history';
import { type Answer, type Api } from './http/api';

/** Between two rounds through the rooms: what is away would otherwise be asked thousands of times a second. */
const PAUSE_MS = 20;

/** A client that reads rooms while they are written, as one does that catches up with `after_seq`. */
export class CatchUpClient {
  /** What it was shown, by room id. */
  readonly shown: ReadonlyMap<string, LogEntry[]>;
  /** Answers that are neither a page nor "not now". */
  readonly surprises: string[] = [];
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  /** @param reader asked again for each page: the server's URL may change */
  constructor(
    private readonly reader: () => Api,
    roomIds: readonly string[],
  ) {
    this.shown = new Map(roomIds.map((roomId) => [roomId, []]));
  }

  start(): void {
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async follow(): Promise<void> {
    while (!this.stopping && this.surprises.length === 0) {
      for (const [roomId, log] of this.shown) await this.readOn(roomId, log);
      await sleep(PAUSE_MS);
    }
  }

  private async readOn(roomId: string, log: LogEntry[]): Promise<void> {
    try {
      const page = await pageAfter(this.reader(), roomId, log);
      if (page.status === 200) log.push(...page.body);
      else if (page.status !== 503) this.surprises.push(`reading ${roomId} was answered ${page.status}`);
    } catch (error) {
      if (!isNoAnswer(error)) this.surprises.push(String(error));
    }
  }
}

/** A room's log, page by page. */
export async function wholeLog(reader: Api, roomId: string): Promise<LogEntry[]> {
  const log: LogEntry[] = [];
  for (;;) {
    const page = await pageAfter(reader, roomId, log);
    if (page.status !== 200) throw new Error(`reading the log answered ${page.status}`);
    if (page.body.length === 0) return log;
    log.push(...page.body);
  }
}

/** fetch's own words for no answer, by text: its errors are not of jest's realm. */
export function isNoAnswer(error: unknown): boolean {
  return /^TypeError: (fetch failed|terminated)$/.test(String(error));
}

function pageAfter(reader: Api, roomId: string, log: readonly LogEntry[]): Promise<Answer<LogEntry[]>> {
  return reader.get<LogEntry[]>(`/rooms/${roomId}/messages?limit=100&after_seq=${log.at(-1)?.seq ?? 0}`);
}
