import fc from 'fast-check';
import type { ChatEvent, ChatMessage } from '../contract';
import type { ChatHint } from './chat-hub';
import { ChatWatch, type RunSnapshot } from './chat-streams.service';
import { runs } from '../../../../test/support/timing';

const RUN = 'run';

function answer(content: string): ChatMessage {
  return {
    messageId: RUN,
    seq: 2,
    role: 'assistant',
    senderId: 'agent_default',
    content,
    metadata: null,
    status: 'completed',
    replyToSeq: 1,
    usage: null,
    finishReason: 'stop',
    createdAt: new Date(0),
    deletedAt: null,
  };
}

/** A run as its node has it, and the hints that its node would publish. */
class FakeRun {
  readonly ends: number[] = [];
  text = '';
  isOver = false;
  isBegun = false;

  begin(): ChatHint {
    this.isBegun = true;
    return { kind: 'started', runId: RUN };
  }

  add(tokens: readonly string[]): ChatHint {
    const first = this.ends.length;
    const start = this.text.length;
    for (const token of tokens) {
      this.text += token;
      this.ends.push(this.text.length);
    }
    const ends = this.ends.slice(first).map((end) => end - start);
    return { kind: 'tokens', runId: RUN, first, text: this.text.slice(start), ends };
  }

  end(): ChatHint {
    this.isOver = true;
    return { kind: 'ended', runId: RUN, count: this.ends.length, answer: answer(this.text) };
  }

  snapshot(asked: number): RunSnapshot {
    const count = this.ends.length;
    const afterIndex = asked >= 0 && asked < count ? asked : -1;
    const text = this.text.slice(afterIndex < 0 ? 0 : this.ends[afterIndex]);
    const ended = this.isOver ? { answer: answer(this.text), failure: undefined } : undefined;
    return { afterIndex, text, index: count - 1, isBegun: this.isBegun, ended };
  }
}

interface Watcher {
  readonly watch: ChatWatch;
  readonly events: ChatEvent[];
  readonly ended: Promise<void>;
}

function watcherOf(read: (afterIndex: number) => Promise<RunSnapshot | undefined>): Watcher {
  const events: ChatEvent[] = [];
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const watch = new ChatWatch(
    (_run, afterIndex) => read(afterIndex),
    (event) => {
      events.push(event);
      if (event.type === 'ended') end();
    },
    RUN,
    () => undefined,
  );
  return { watch, events, ended };
}

/** What a client makes of the events, and what is wrong with their order. */
function played(events: readonly ChatEvent[], had: string): string {
  let text = had;
  let last: number | undefined;
  for (const event of events) {
    if (event.type === 'started') {
      text = event.afterIndex < 0 ? '' : had;
      last = event.afterIndex;
    } else if (event.type === 'tokens') {
      if (last === undefined || event.index <= last) throw new Error('tokens out of order');
      text += event.text;
      last = event.index;
    }
  }
  if (events.filter((event) => event.type === 'ended').length !== 1) throw new Error('not one end');
  if (events.at(-1)?.type !== 'ended') throw new Error('something after the end');
  return text;
}

const steps = fc.array(fc.array(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }), {
  maxLength: 12,
});
/** What becomes of each hint on its way. */
const fates = fc.infiniteStream(fc.constantFrom('heard', 'heard', 'heard', 'lost', 'doubled'));

describe('a watcher of a run', () => {
  it('gets every token once and in order, whatever becomes of the hints', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fates,
        fc.nat(12),
        fc.integer({ min: -1, max: 20 }),
        fc.boolean(),
        async (chunks, fate, joinAt, from, isEndLost) => {
          const run = new FakeRun();
          const waits: (() => void)[] = [];
          // Reads take a while: until the next step, or longer.
          const read = async (afterIndex: number): Promise<RunSnapshot> => {
            await new Promise<void>((resolve) => waits.push(resolve));
            return run.snapshot(afterIndex);
          };
          const { watch, events, ended } = watcherOf(read);
          let joined: Promise<unknown> | undefined;
          const join = (): void => {
            watch.hold();
            joined = watch.join(RUN, from).then(() => watch.release());
          };
          const hints = [
            (): ChatHint => run.begin(),
            ...chunks.map((tokens) => () => run.add(tokens)),
            () => run.end(),
          ];
          for (const [i, hint] of hints.entries()) {
            if (i === Math.min(joinAt, hints.length - 1)) join();
            const news = hint();
            const last = isEndLost ? 'lost' : 'heard';
            const what = i === hints.length - 1 ? last : fate.next().value;
            if (joined !== undefined && what !== 'lost') watch.hear(news);
            if (joined !== undefined && what === 'doubled') watch.hear(news);
            waits.shift()?.();
            await Promise.resolve();
          }
          // What was lost last nothing tells but the bus, which knows that something was.
          if (isEndLost) watch.lookForLost();
          const pump = setInterval(() => waits.shift()?.(), 0);
          try {
            await joined;
            await ended;
          } finally {
            clearInterval(pump);
          }
          // What a client has up to an index is what the run has up to it, whenever it got it; or tokens that were lost.
          const had = from < 0 ? '' : from < run.ends.length ? run.text.slice(0, run.ends[from]) : 'lost';
          expect(played(events, had)).toBe(run.text);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('who has tokens that the run has not is told to drop them, also where it has none at all', async () => {
    const run = new FakeRun();
    const { watch, events } = watcherOf(() => Promise.resolve(run.snapshot(3)));
    await watch.join(RUN, 3);
    watch.hear(run.end());
    expect(played(events, 'lost')).toBe('');
    const late = watcherOf(() => Promise.resolve(run.snapshot(3)));
    await late.watch.join(RUN, 3);
    expect(played(late.events, 'lost')).toBe('');
  });

  it('hears of nothing after it was closed, also while it reads', async () => {
    const run = new FakeRun();
    run.begin();
    run.add(['a']);
    const { watch, events } = watcherOf(() => Promise.resolve(run.snapshot(-1)));
    watch.hold();
    const joining = watch.join(RUN, -1);
    watch.close();
    await joining;
    watch.release();
    watch.hear(run.end());
    expect(events).toEqual([]);
  });

  it('of a whole chat gets messages in between, and its deletion last', async () => {
    const events: ChatEvent[] = [];
    const over: string[] = [];
    const watch = new ChatWatch(
      () => Promise.resolve(undefined),
      (event) => events.push(event),
      undefined,
      () => over.push('over'),
    );
    const run = new FakeRun();
    watch.hear(run.begin());
    watch.hear({ kind: 'message', message: answer('hi'), clientMessageId: 'c' });
    watch.hear(run.add(['a', 'b']));
    watch.hear({ kind: 'deleted' });
    watch.hear(run.end());
    expect(events.map((event) => event.type)).toEqual(['started', 'message', 'tokens', 'deleted']);
    expect(over).toEqual(['over']);
  });

  it('says so when a run does not exist, and passes on that it could not be read', async () => {
    await expect(watcherOf(() => Promise.resolve(undefined)).watch.join(RUN, -1)).resolves.toBe(false);
    await expect(watcherOf(() => Promise.reject(new Error('away'))).watch.join(RUN, -1)).rejects.toThrow('away');
  });

  it('looks after a gap until the database answers, and never once it is closed', async () => {
    const run = new FakeRun();
    run.begin();
    run.add(['a']);
    let failures = 1;
    const { watch, events, ended } = watcherOf(() =>
      failures-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve(run.snapshot(-1)),
    );
    run.end();
    watch.lookForLost();
    await ended;
    expect(played(events, '')).toBe('a');
    watch.lookForLost();
    expect(failures).toBe(-1);
  });
});
