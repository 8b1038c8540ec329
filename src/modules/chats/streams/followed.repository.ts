import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../platform/database';
import { chatsFollowed, type FollowedRow } from '../chats.functions';
import { type ChatRef, keyOf } from './chat-hub';

/** What is asked for: runs, and whole chats with whichever runs they have. */
export interface FollowedKeys {
  readonly runs: Iterable<{ readonly tenantId: string; readonly runId: string }>;
  readonly chats: Iterable<ChatRef>;
}

/** A run as the database has it. */
export interface FollowedRun {
  readonly runId: string;
  /** `gone`: there is no such run any more. */
  readonly state: 'queued' | 'streaming' | 'ended' | 'gone';
  readonly isCancelled: boolean;
  /** Of the worker that has it. */
  readonly fence: number;
  /** Tokens that are stored, of a run that is being written. */
  readonly tokens: number;
}

/** A chat as the database has it. */
export interface ChatState {
  /** Of its newest message; undefined: it was deleted. */
  readonly lastSeq: number | undefined;
  /** Runs that have not ended. */
  readonly unfinished: readonly FollowedRun[];
}

/** What one statement has said. */
export class FollowedStates {
  private readonly runs = new Map<string, FollowedRun>();
  private readonly unfinished = new Map<string, FollowedRun[]>();
  private readonly lastSeqs = new Map<string, number | undefined>();

  constructor(rows: readonly FollowedRow[]) {
    for (const row of rows) {
      if (row.run_id !== null) this.addRun(row, row.run_id);
      else if (row.room_id !== null)
        this.lastSeqs.set(keyOf({ tenantId: row.tenant_id, chatId: row.room_id }), row.last_seq ?? undefined);
    }
  }

  /** Undefined: it was not asked for. */
  run(tenantId: string, runId: string): FollowedRun | undefined {
    return this.runs.get(`${tenantId}/${runId}`);
  }

  /** Undefined: it was not asked for. */
  chat(chat: ChatRef): ChatState | undefined {
    const key = keyOf(chat);
    if (!this.lastSeqs.has(key)) return undefined;
    return { lastSeq: this.lastSeqs.get(key), unfinished: this.unfinished.get(key) ?? [] };
  }

  private addRun({ tenant_id: tenantId, room_id: chatId, ...row }: FollowedRow, runId: string): void {
    const { fence, is_cancelled: isCancelled, tokens } = row;
    const run = { runId, state: stateOf(row), isCancelled: isCancelled === true, fence: fence ?? 0, tokens };
    this.runs.set(`${tenantId}/${runId}`, run);
    if (chatId === null || run.state === 'ended') return;
    const key = keyOf({ tenantId, chatId });
    const others = this.unfinished.get(key);
    if (others === undefined) this.unfinished.set(key, [run]);
    else others.push(run);
  }
}

function stateOf({ state }: Pick<FollowedRow, 'state'>): FollowedRun['state'] {
  if (state === null) return 'gone';
  return state === 'queued' || state === 'streaming' ? state : 'ended';
}

/** Looks how runs and chats of all tenants stand, in one statement. */
@Injectable()
export class FollowedRepository {
  constructor(private readonly system: SystemDatabase) {}

  async states({ runs, chats }: FollowedKeys): Promise<FollowedStates> {
    const [ofRuns, ofChats] = [[...runs], [...chats]];
    const rows = await chatsFollowed.call(this.system, {
      p_run_tenants: ofRuns.map(({ tenantId }) => tenantId),
      p_runs: ofRuns.map(({ runId }) => runId),
      p_chat_tenants: ofChats.map(({ tenantId }) => tenantId),
      p_chats: ofChats.map(({ chatId }) => chatId),
    });
    return new FollowedStates(rows);
  }

  async chat(chat: ChatRef): Promise<ChatState> {
    const states = await this.states({ runs: [], chats: [chat] });
    return states.chat(chat) ?? { lastSeq: undefined, unfinished: [] };
  }
}
