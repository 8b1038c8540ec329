import { type AppError, invalid } from '../../common/errors';
import { decodeId, encodeId } from '../../common/ids';
import { END_INDEX } from './contract';

/** How much of an answer a reader has: everything up to this token; −1: nothing; END_INDEX: its end as well. */
export interface TokenPosition {
  readonly runId: string;
  readonly afterIndex: number;
}

const FORM = /^(msg_[0-9a-f]{32}):(-1|0|[1-9]\d{0,9})$/;

/** The id of an SSE event: `<message_id>:<index>`. */
export function eventId({ runId, afterIndex }: TokenPosition): string {
  return `${encodeId('message', runId)}:${afterIndex}`;
}

/**
 * Reads `Last-Event-ID`, or `?last_event_id=` where the header is missing or empty, for every door; undefined: neither is
 * there.
 * @throws 400 for what is no id of ours: to begin at the start instead would give the reader the same text twice
 */
export function positionOf(header: string | undefined, query: string | undefined): TokenPosition | undefined {
  const isHeader = header !== undefined && header !== '';
  const text = isHeader ? header : query;
  if (text === undefined || text === '') return undefined;
  const [, messageId, index] = FORM.exec(text) ?? [];
  const runId = decodeId('message', messageId);
  if (runId === undefined || Number(index) > END_INDEX) throw noEventId(isHeader ? 'Last-Event-ID' : 'last_event_id');
  return { runId, afterIndex: Number(index) };
}

function noEventId(field: string): AppError {
  return invalid(field, `${field} must be the id of an event: <message_id>:<index>`);
}
