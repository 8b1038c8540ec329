import type { FastifyReply } from 'fastify';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import {
  answerOf,
  FAKE_CHAT,
  FakeRuns,
  MODEL_FAILED,
  FAKE_RUN,
  FAKE_RUN_ID,
} from '../../../../test/support/chats/fake-runs';
import { startProviders } from '../../../../test/support/providers';
import { RecordingLog } from '../../../../test/support/recording-log';
import { notFound, unavailable } from '../../../common/errors';
import { Caller } from '../../../platform/auth';
import { SseStreams } from '../../../platform/http';
import { Lifecycle } from '../../../platform/lifecycle';
import { Metrics } from '../../../platform/metrics';
import { END_INDEX } from '../contract';
import { AnswerStreams, AnswerWaits } from './answers';
import { chatFormat, conversationFormat, type EndedRun } from './views';

const UNKNOWN = { code: 'SERVICE_UNAVAILABLE', details: { outcome: 'unknown' } };

function waiter(graceMs = 0) {
  const runs = new FakeRuns();
  const lifecycle = new Lifecycle(new RecordingLog(), graceMs);
  const waits = new AnswerWaits(runs, lifecycle);
  startProviders(lifecycle, waits);
  const response = Object.assign(new EventEmitter(), { destroyed: false });
  const ended = (): Promise<EndedRun> =>
    waits.ended(FAKE_CHAT, FAKE_RUN, response as unknown as ServerResponse, () => notFound('Chat'));
  return { runs, lifecycle, response, ended };
}

describe('waiting for an answer', () => {
  it('ends with the run', async () => {
    const { runs, response, ended } = waiter();
    const waiting = ended();
    await settled();
    runs.tell({ type: 'tokens', runId: FAKE_RUN, text: 'Hi', index: 0 });
    runs.tell(ENDED);
    expect(await waiting).toBe(ENDED);
    expect(runs.followed).toEqual([]);
    expect(response.listenerCount('close')).toBe(0);
  });

  it('ends with the chat', async () => {
    const { runs, ended } = waiter();
    const waiting = ended();
    await settled();
    runs.tell({ type: 'deleted' });
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['early', 'late', 'before'])('the caller leaves %s: the run is watched no more', async (when) => {
    const { runs, response, ended } = waiter();
    response.destroyed = when === 'before';
    const waiting = ended();
    if (when === 'late') await settled();
    if (when !== 'before') response.emit('close');
    await expect(waiting).rejects.toMatchObject(UNKNOWN);
    await settled();
    expect(runs.followed).toEqual([]);
  });

  it('what cannot be followed may have happened all the same', async () => {
    const { runs, ended } = waiter();
    runs.before = () => Promise.reject(unavailable('away'));
    await expect(ended()).rejects.toMatchObject(UNKNOWN);
    runs.before = () => Promise.reject(notFound('Run'));
    await expect(ended()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('the stop gives it time, and 503 after that; later ones get it at once', async () => {
    const { runs, lifecycle, ended } = waiter(60_000);
    const waiting = ended();
    await settled();
    const stopped = lifecycle.stop('test');
    await settled();
    runs.tell(ENDED);
    expect(await waiting).toBe(ENDED);
    await stopped;
    await expect(ended()).rejects.toMatchObject(UNKNOWN);

    const hurried = waiter(0);
    const given = expect(hurried.ended()).rejects.toMatchObject(UNKNOWN);
    await settled();
    await hurried.lifecycle.stop('test');
    await given;
    await settled();
    expect(hurried.runs.followed).toEqual([]);
  });
});

const ENDED = { type: 'ended', runId: FAKE_RUN, answer: answerOf() } as const;
/** Promises in between are settled. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const readers: EventEmitter[] = [];
afterEach(() => readers.splice(0).forEach((reader) => reader.emit('close')));

function world() {
  const runs = new FakeRuns();
  const log = new RecordingLog();
  const metrics = new Metrics(log);
  const sse = new SseStreams(metrics);
  const streams = new AnswerStreams(runs, sse, metrics, log);
  const raw = Object.assign(new EventEmitter(), { destroyed: false, writableLength: 0 });
  readers.push(raw);
  const headers: Record<string, unknown> = {};
  const reply = {
    raw,
    headers: (more: object) => Object.assign(headers, more),
    header: (name: string, value: unknown) => Object.assign(headers, { [name]: value }),
  } as unknown as FastifyReply;
  const caller = new Caller('key', 'r1', undefined, undefined, undefined, []);
  const open = (afterIndex: number, format = chatFormat(FAKE_CHAT, 'r1'), opening: object[] = []) =>
    streams.open({ caller, reply }, FAKE_CHAT, { runId: FAKE_RUN, afterIndex }, format, opening);
  return { runs, streams, raw, headers, caller, open, log };
}

/** What was written: ids and data. */
function eventsOf(body: { read(): unknown }): [string | undefined, Record<string, unknown>][] {
  const text = String(body.read());
  return text
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => [
      /^id: (.*)$/m.exec(part)?.[1],
      JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? '{}') as object,
    ]) as ReturnType<typeof eventsOf>;
}

describe('the stream of an answer', () => {
  it('gives the run to its end under ids that say how far it is', async () => {
    const { runs, open, headers, raw } = world();
    const body = open(-1, undefined, [{ first: true }]);
    await settled();
    runs.tell({ type: 'started', runId: FAKE_RUN, afterIndex: -1 });
    runs.tell({ type: 'tokens', runId: FAKE_RUN, text: 'Hi ', index: 3 });
    runs.tell(ENDED);
    const events = eventsOf(body);
    expect(events.map(([id, data]) => [id, data['event_type']])).toEqual([
      [`${FAKE_RUN_ID}:-1`, undefined],
      [`${FAKE_RUN_ID}:-1`, 'message_stream_started'],
      [`${FAKE_RUN_ID}:3`, 'message_stream_token'],
      [`${FAKE_RUN_ID}:${END_INDEX}`, 'message_stream_ended'],
    ]);
    expect(headers).toEqual({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    raw.emit('close');
    expect(runs.followed).toEqual([]);
  });

  it('asks for what follows the position, and takes the one that the run gives', async () => {
    const { runs, open } = world();
    const body = open(7);
    await settled();
    expect(runs.followed).toMatchObject([{ runId: FAKE_RUN, afterIndex: 7 }]);
    runs.tell({ type: 'started', runId: FAKE_RUN, afterIndex: -1 });
    runs.tell({ type: 'tokens', runId: FAKE_RUN, text: 'Hi ', index: 0 });
    expect(eventsOf(body).map(([id]) => id)).toEqual([`${FAKE_RUN_ID}:-1`, `${FAKE_RUN_ID}:0`]);
  });

  it('ends with an error where the run ends badly, or cannot be followed', async () => {
    const failing = world();
    const failed = failing.open(-1);
    await settled();
    failing.runs.tell(MODEL_FAILED);
    expect(eventsOf(failed).map(([id, data]) => [id, data['error_code']])).toEqual([
      [`${FAKE_RUN_ID}:${END_INDEX}`, 'MODEL_ERROR'],
    ]);

    const away = world();
    away.runs.before = () => Promise.reject(unavailable('away'));
    const refused = away.open(5, conversationFormat(FAKE_CHAT, false));
    await settled();
    expect(eventsOf(refused)).toEqual([
      [`${FAKE_RUN_ID}:5`, { type: 'error', code: 'SERVICE_UNAVAILABLE', message: 'away' }],
    ]);
  });

  it('ends with an error where the chat is deleted meanwhile, in the words of the format', async () => {
    for (const [format, code] of [
      [chatFormat(FAKE_CHAT, 'r1'), { error_code: 'NOT_FOUND' }],
      [conversationFormat(FAKE_CHAT, true), { code: 'CONVERSATION_NOT_FOUND' }],
    ] as const) {
      const { runs, open } = world();
      const body = open(-1, format);
      await settled();
      runs.tell({ type: 'deleted' });
      expect(eventsOf(body)).toMatchObject([[`${FAKE_RUN_ID}:-1`, code]]);
    }
  });

  it('logs a fault of ours, and tells the reader no more than that', async () => {
    const { runs, open, log } = world();
    runs.before = () => Promise.reject(new Error('secret'));
    const body = open(-1);
    await settled();
    expect(JSON.stringify(eventsOf(body))).not.toContain('secret');
    expect(log.lines.filter((line) => line.level === 'error')).toHaveLength(1);
  });

  it('a reader who leaves is unwatched, also while the watching begins', async () => {
    for (const isEarly of [true, false]) {
      const { runs, open, raw } = world();
      open(-1);
      if (!isEarly) await settled();
      raw.emit('close');
      await settled();
      expect(runs.followed).toEqual([]);
    }
  });

  it('says that the message had been stored before', () => {
    const { caller, open, headers } = world();
    caller.replayed = true;
    open(-1);
    expect(headers).toMatchObject({ 'Idempotent-Replayed': 'true' });
  });
});

describe('what a reader is missing', () => {
  it('the rest of their answer, else what runs now, else nothing', async () => {
    const { runs, streams } = world();
    const position = { runId: FAKE_RUN, afterIndex: 2 };
    expect(await streams.missing(FAKE_CHAT, undefined)).toBeUndefined();
    expect(await streams.missing(FAKE_CHAT, position)).toBeUndefined();
    runs.after = (runId, afterIndex) => runId === FAKE_RUN && afterIndex === 2;
    expect(await streams.missing(FAKE_CHAT, position)).toEqual(position);
    runs.isRunning = 'another run';
    expect(await streams.missing(FAKE_CHAT, { ...position, afterIndex: 3 })).toEqual({
      runId: 'another run',
      afterIndex: -1,
    });
    expect(await streams.missing(FAKE_CHAT, undefined)).toEqual({ runId: 'another run', afterIndex: -1 });
  });
});
