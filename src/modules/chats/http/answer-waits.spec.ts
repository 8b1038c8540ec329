import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { answerOf, CHAT, FakeRuns, RUN } from '../../../../test/support/chats/fake-runs';
import { started } from '../../../../test/support/exploring';
import { RecordingLog } from '../../../../test/support/recording-log';
import { notFound, unavailable } from '../../../common/errors';
import { Lifecycle } from '../../../platform/lifecycle';
import { AnswerWaits } from './answers';
import type { EndedRun } from './views';

const ENDED: EndedRun = { type: 'ended', runId: RUN, answer: answerOf() };
const UNKNOWN = { code: 'SERVICE_UNAVAILABLE', details: { outcome: 'unknown' } };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function world(graceMs = 0) {
  const runs = new FakeRuns();
  const lifecycle = new Lifecycle(new RecordingLog(), graceMs);
  const waits = new AnswerWaits(runs, lifecycle);
  started(lifecycle, waits);
  const response = Object.assign(new EventEmitter(), { destroyed: false });
  const ended = (): Promise<EndedRun> =>
    waits.ended(CHAT, RUN, response as unknown as ServerResponse, () => notFound('Chat'));
  return { runs, lifecycle, response, ended };
}

describe('waiting for an answer', () => {
  it('ends with the run', async () => {
    const { runs, response, ended } = world();
    const waiting = ended();
    await settled();
    runs.tell({ type: 'tokens', runId: RUN, text: 'Hi', index: 0 });
    runs.tell(ENDED);
    expect(await waiting).toBe(ENDED);
    expect(runs.followed).toEqual([]);
    expect(response.listenerCount('close')).toBe(0);
  });

  it('ends with the chat', async () => {
    const { runs, ended } = world();
    const waiting = ended();
    await settled();
    runs.tell({ type: 'deleted' });
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['early', 'late', 'before'])('the caller leaves %s: the run is watched no more', async (when) => {
    const { runs, response, ended } = world();
    response.destroyed = when === 'before';
    const waiting = ended();
    if (when === 'late') await settled();
    if (when !== 'before') response.emit('close');
    await expect(waiting).rejects.toMatchObject(UNKNOWN);
    await settled();
    expect(runs.followed).toEqual([]);
  });

  it('what cannot be followed may have happened all the same', async () => {
    const { runs, ended } = world();
    runs.before = () => Promise.reject(unavailable('away'));
    await expect(ended()).rejects.toMatchObject(UNKNOWN);
    runs.before = () => Promise.reject(notFound('Run'));
    await expect(ended()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('the stop gives it time, and 503 after that; later ones get it at once', async () => {
    const { runs, lifecycle, ended } = world(60_000);
    const waiting = ended();
    await settled();
    const stopped = lifecycle.stop('test');
    await settled();
    runs.tell(ENDED);
    expect(await waiting).toBe(ENDED);
    await stopped;
    await expect(ended()).rejects.toMatchObject(UNKNOWN);

    const hurried = world(0);
    const given = expect(hurried.ended()).rejects.toMatchObject(UNKNOWN);
    await settled();
    await hurried.lifecycle.stop('test');
    await given;
    await settled();
    expect(hurried.runs.followed).toEqual([]);
  });
});
