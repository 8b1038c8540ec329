import { MemoryBus } from '../../../platform/cluster';
import { ManualClock } from '../../../common/time';
import { LEASE_LOST } from '../../../platform/jobs';
import { ChatHub } from '../streams/chat-hub';
import type { LiveRun } from './live-runs';
import { PromptImages } from './prompt-images';
import { RunTurns, RunWorker } from './run-worker';

const RUN_ID = 'run';
const JOB = { tenantId: 't', key: 'chat', payload: { run_id: RUN_ID, room_id: 'chat', seq: 1 } };
const CHAT = { fence: 1, user_id: 'bob', preset: 'default', cleared_seq: 0, auto_title: false };
const AGENT = { ...CHAT, agent: { agent_id: 'agent_a', refused: 'pair' } };

const nothing = (): Promise<undefined> => Promise.resolve(undefined);
const fails = (): Promise<never> => Promise.reject(new Error('it fails'));

interface Parts {
  readonly begun: () => Promise<unknown>;
  readonly answer?: () => Promise<unknown>;
  readonly store?: () => Promise<unknown>;
}

let hub: ChatHub;
let images: PromptImages;

beforeEach(() => {
  hub = new ChatHub(new MemoryBus('node', () => undefined));
  images = new PromptImages(new ManualClock(), hub);
  images.hold('t', RUN_ID, [{ mediaType: 'image/png', base64: 'x', tokens: 1 }]);
});
afterEach(() => hub.end());

/** Of it only what becomes of images is real. */
function worker({ begun, answer = fails, store = nothing }: Parts): RunWorker {
  const turns = new RunTurns({ settle: nothing } as never, {} as never, { note: () => undefined } as never, images);
  const live = {
    during: (_live: LiveRun, work: () => Promise<void>) => work(),
    keep: () => undefined,
    takeUnstored: () => undefined,
  };
  const runs = { begin: begun, tokens: () => Promise.resolve({ text: '', ends: [] }), settle: nothing };
  const answerer = { answer, usageOfLost: nothing };
  const ends = { store, republish: nothing, giveUp: nothing };
  return new RunWorker(
    ...([runs, live, answerer, ends, turns, { runDrainMs: 1 }] as unknown as ConstructorParameters<typeof RunWorker>),
  );
}

const run = (parts: Parts, signal = new AbortController().signal): Promise<unknown> =>
  worker(parts)
    .run(JOB as never, signal)
    .catch((error: unknown) => error);
const begins =
  (status: string, more: object = CHAT) =>
  () =>
    Promise.resolve({ status, ...more });
const OUTCOME = { status: 'completed', finishReason: 'stop', usage: undefined };

describe('the images of a run', () => {
  it.each<[string, Parts]>([
    ['is gone', { begun: begins('gone') }],
    ['has ended', { begun: begins('ended') }],
    ['was lost', { begun: begins('lost') }],
    ['was lost, and its end cannot be stored', { begun: begins('lost'), store: fails }],
    ['was cancelled', { begun: begins('cancelled') }],
    ['is beyond the budget', { begun: begins('spent') }],
    ['is refused to an agent', { begun: begins('started', AGENT) }],
    ['is answered', { begun: begins('started'), answer: () => Promise.resolve(OUTCOME) }],
    ['fails', { begun: begins('started') }],
    ['is answered, and its end cannot be stored', { begun: begins('started'), answer: nothing, store: fails }],
  ])('are released where it %s', async (_, parts) => {
    await run(parts);
    expect(images.of(RUN_ID)).toEqual([]);
  });

  it('are released where its lease is lost', async () => {
    expect(await run({ begun: begins('started'), answer: nothing }, AbortSignal.abort(LEASE_LOST))).toBeInstanceOf(
      Error,
    );
    expect(images.of(RUN_ID)).toEqual([]);
  });

  it('stay for the next try where it could not be begun, and go with the last', async () => {
    expect(await run({ begun: fails })).toBeInstanceOf(Error);
    expect(images.of(RUN_ID)).toHaveLength(1);
    await worker({ begun: fails }).onDead(JOB as never, 'it fails');
    expect(images.of(RUN_ID)).toEqual([]);
  });
});
