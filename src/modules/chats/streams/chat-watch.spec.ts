import fc from 'fast-check';
import { SIMULATED_CHAT, SimulatedChat, SimulatedRun } from '../../../../test/support/chats/chat-simulator';
import { runs } from '../../../../test/support/timing';
import type { ChatEvent } from '../contract';
import type { Missed } from './backstop';
import type { ChatHint } from './chat-hub';
import { ChatWatch, type RunSnapshot } from './chat-watch';
import { FollowedStates } from './followed.repository';

const RUN = 'run';
/** What has not come by then will not: the longest case takes a second. */
const NEVER_MS = 30_000;

interface Watcher {
  readonly watch: ChatWatch;
  readonly events: ChatEvent[];
  readonly ended: Promise<void>;
}

/** A watcher of one run. */
function watcherOf(read: (afterIndex: number) => Promise<RunSnapshot | undefined>): Watcher {
  const events: ChatEvent[] = [];
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const watch = new ChatWatch(
    { run: (_run, afterIndex) => read(afterIndex), messages: () => Promise.reject(new Error('of one run alone')) },
    (event) => {
      events.push(event);
      if (event.type === 'ended') end();
    },
    { chat: SIMULATED_CHAT, only: RUN },
    () => undefined,
  );
  return { watch, events, ended };
}

/** What a client makes of the events of one run, and what is wrong with their order. */
function played(events: readonly ChatEvent[], had: string): string {
  let text = had;
  let last: number | undefined;
  let lastThought = -1;
  for (const event of events) {
    if (event.type === 'started') {
      text = event.afterIndex < 0 ? '' : had;
      last = event.afterIndex;
    } else if (event.type === 'tokens') {
      if (last === undefined || event.index <= last) throw new Error('tokens out of order');
      text += event.text;
      last = event.index;
    } else if (event.type === 'reasoning') {
      const [first, from] = event.text.split(' ').map(Number) as [number, number];
      if (last === undefined || first !== last + 1) throw new Error('a thought in another place');
      if (from <= lastThought) throw new Error('a thought that was told before');
      lastThought = from;
    }
  }
  if (events.filter((event) => event.type === 'ended').length !== 1) throw new Error('not one end');
  if (events.at(-1)?.type !== 'ended') throw new Error('something after the end');
  return text;
}

/** Reads take a while: until the next step, or longer. */
class SlowReads {
  private readonly waits: (() => void)[] = [];

  readonly wait = (): Promise<void> => new Promise((resolve) => this.waits.push(resolve));

  /** The oldest read ends. */
  async step(): Promise<void> {
    this.waits.shift()?.();
    await Promise.resolve();
  }

  /** Reads end one after the other until it is over; before each, `tick`. */
  async until(isOver: () => boolean, tick: () => unknown): Promise<void> {
    const deadline = performance.now() + NEVER_MS;
    while (!isOver()) {
      if (performance.now() > deadline) throw new Error('what is missing never comes');
      tick();
      await this.step();
      await new Promise(setImmediate);
    }
  }
}

const words = fc.array(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });
const steps = fc.array(words, { maxLength: 12 });
/** What becomes of each hint on its way. */
const fates = fc.infiniteStream(fc.constantFrom('heard', 'heard', 'heard', 'lost', 'doubled'));
/** Whether the backstop looks in between. */
const looks = fc.infiniteStream(fc.constantFrom(false, false, true));

describe('a watcher of a run', () => {
  it('gets every token once and in order and the end, whatever becomes of the hints', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fates,
        looks,
        fc.nat(24),
        fc.integer({ min: -1, max: 20 }),
        async (chunks, fate, look, joinAt, from) => {
          const run = new SimulatedRun(RUN);
          const reads = new SlowReads();
          const { watch, events } = watcherOf(async (afterIndex) => {
            await reads.wait();
            return run.snapshot(afterIndex);
          });
          const compare = (): unknown => watch.compare(new FollowedStates([run.row()]));
          let joined: Promise<unknown> | undefined;
          const written = chunks.flatMap((tokens) => [() => run.think(), () => run.add(tokens)]);
          const hints = [() => run.begin(), ...written, () => run.end()];
          for (const [i, hint] of hints.entries()) {
            if (i === Math.min(joinAt, hints.length - 1)) {
              watch.hold();
              joined = watch.join(RUN, from).then(() => watch.release());
            }
            const news = hint();
            const what = fate.next().value;
            if (joined !== undefined && what !== 'lost') watch.hear(news);
            if (joined !== undefined && what === 'doubled') watch.hear(news);
            if (joined !== undefined && look.next().value) compare();
            await reads.step();
          }
          await reads.until(() => events.at(-1)?.type === 'ended', compare);
          await joined;
          // What a client has up to an index is what the run has up to it, whenever it got it; or tokens that were lost.
          const had = from < 0 ? '' : from < run.ends.length ? run.text.slice(0, run.ends[from]) : 'lost';
          expect(played(events, had)).toBe(run.text);
        },
      ),
      { numRuns: runs(300), endOnFailure: true },
    );
  });

  it('is told what the model thinks where every hint comes', () => {
    const run = new SimulatedRun(RUN);
    const { watch, events } = watcherOf(() => Promise.reject(new Error('not asked for')));
    for (const hint of [run.begin(), run.think(), run.add(['Hel', 'lo']), run.think(), run.think(), run.end()])
      watch.hear(hint);
    expect(events.map(({ type }) => type)).toEqual([
      ...['started', 'reasoning', 'tokens', 'reasoning', 'reasoning', 'ended'],
    ]);
  });

  it('who has tokens that the run has not is told to drop them, also where it has none at all', async () => {
    const run = new SimulatedRun(RUN);
    const { watch, events } = watcherOf(() => Promise.resolve(run.snapshot(3)));
    await watch.join(RUN, 3);
    watch.hear(run.end());
    expect(played(events, 'lost')).toBe('');
    const late = watcherOf(() => Promise.resolve(run.snapshot(3)));
    await late.watch.join(RUN, 3);
    expect(played(late.events, 'lost')).toBe('');
  });

  it('hears of nothing after it was closed, also while it reads', async () => {
    const run = new SimulatedRun(RUN);
    run.begin();
    run.add(['a']);
    const { watch, events } = watcherOf(() => Promise.resolve(run.snapshot(-1)));
    watch.hold();
    const joining = watch.join(RUN, -1);
    watch.close();
    await joining;
    watch.release();
    watch.hear(run.end());
    expect(watch.compare(new FollowedStates([run.row()]))).toEqual([]);
    expect(events).toEqual([]);
  });

  it.each(['gone', 'without an answer'])('of which nothing is left (%s) is told that its chat is', async (how) => {
    const run = new SimulatedRun(RUN);
    run.end();
    const row = how === 'gone' ? { ...run.row(), state: null, room_id: null } : run.row();
    const events: ChatEvent[] = [];
    let over: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (over = resolve));
    const reads = { run: () => Promise.resolve(undefined), messages: () => Promise.reject(new Error('not asked for')) };
    const watch = new ChatWatch(reads, (event) => events.push(event), { chat: SIMULATED_CHAT, only: RUN }, over);
    expect(watch.compare(new FollowedStates([row]))).toEqual(['run']);
    await ended;
    expect(events).toEqual([{ type: 'deleted' }]);
  });

  it('tells what it can read when the database is back', async () => {
    const run = new SimulatedRun(RUN);
    run.end();
    let isAway = true;
    const { watch, events, ended } = watcherOf(() =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(run.snapshot(-1)),
    );
    const compare = (): readonly Missed[] => watch.compare(new FollowedStates([run.row()]));
    expect(compare()).toEqual(['run']);
    // It reads.
    expect(compare()).toEqual([]);
    await new Promise(setImmediate);
    isAway = false;
    expect(compare()).toEqual(['run']);
    await ended;
    expect(events.map(({ type }) => type)).toEqual(['ended']);
  });

  it('says so when a run does not exist, and passes on that it could not be read', async () => {
    await expect(watcherOf(() => Promise.resolve(undefined)).watch.join(RUN, -1)).resolves.toBe(false);
    await expect(watcherOf(() => Promise.reject(new Error('away'))).watch.join(RUN, -1)).rejects.toThrow('away');
  });
});

/** What happens in a chat; `late`: its hint comes with the next but one step. */
type Act = 'say' | 'begin' | 'think' | 'tokens' | 'end' | 'giveUp';
const acts = fc.array(
  fc.record({
    act: fc.constantFrom<Act>('say', 'say', 'begin', 'think', 'tokens', 'tokens', 'end', 'giveUp'),
    fate: fc.constantFrom('heard', 'heard', 'lost', 'doubled', 'late'),
    look: fc.constantFrom(false, false, true),
    tokens: words,
  }),
  { maxLength: 30 },
);

function perform(chat: SimulatedChat, act: Act, tokens: readonly string[]): ChatHint | undefined {
  const { current } = chat;
  if (act === 'say') return chat.say();
  if (current === undefined) return undefined;
  if (act === 'begin') return current.isBegun ? undefined : current.begin();
  if (act === 'think') return current.isBegun ? current.think() : undefined;
  if (act === 'tokens') return current.isBegun ? current.add(tokens) : undefined;
  if (act === 'giveUp') return current.isBegun ? undefined : chat.end(current, true);
  return chat.end(current, false);
}

function watchOf(chat: SimulatedChat, wait?: () => Promise<void>): { watch: ChatWatch; events: ChatEvent[] } {
  const events: ChatEvent[] = [];
  const told = (event: ChatEvent): number => events.push(event);
  return { watch: new ChatWatch(chat.reads(wait), told, { chat: SIMULATED_CHAT }, () => undefined), events };
}

/** The messages that were told, and the text of each run as its events tell it. */
function toldIn(events: readonly ChatEvent[], chat: SimulatedChat): object {
  const messages = events.flatMap((event) => (event.type === 'message' ? [event.clientMessageId] : []));
  const answers = chat.runs.map(({ runId }) =>
    played(
      events.filter((event) => 'runId' in event && event.runId === runId),
      '',
    ),
  );
  return { messages: messages.sort(), answers };
}

/** The same as the chat has it. */
function all(chat: SimulatedChat): object {
  const messages = chat.log.flatMap((row) => (row.kind === 'user' ? [row.client_message_id] : []));
  return { messages: messages.sort(), answers: chat.runs.map(({ text }) => text) };
}

describe('a watcher of a chat', () => {
  it('gets every message, every token and every end once, whatever becomes of the hints', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (script) => {
        const chat = new SimulatedChat();
        const reads = new SlowReads();
        const { watch, events } = watchOf(chat, reads.wait);
        const compare = (): readonly Missed[] => watch.compare(chat.states(watch.runIds()));
        let late: ChatHint[] = [];
        for (const { act, fate, look, tokens } of script) {
          const due = late;
          late = [];
          const hint = perform(chat, act, tokens);
          if (hint !== undefined && fate === 'late') late.push(hint);
          else if (hint !== undefined && fate !== 'lost') watch.hear(hint);
          if (hint !== undefined && fate === 'doubled') watch.hear(hint);
          if (look) compare();
          for (const each of due) watch.hear(each);
          await reads.step();
        }
        while (chat.current !== undefined) chat.end(chat.current, false);
        const count = (): number => events.filter(({ type }) => type === 'ended' || type === 'message').length;
        await reads.until(() => count() >= 2 * chat.runs.length, compare);
        for (const each of late) watch.hear(each);
        let more = 3;
        await reads.until(() => more-- === 0, compare);
        expect(toldIn(events, chat)).toEqual(all(chat));
      }),
      { numRuns: runs(300), endOnFailure: true },
    );
  });

  it('is told what was said since it came in, then what is being written', async () => {
    const chat = new SimulatedChat();
    chat.say();
    const events: ChatEvent[] = [];
    const scope = { chat: SIMULATED_CHAT, afterSeq: 1 };
    const watch = new ChatWatch(
      chat.reads(),
      (event) => events.push(event),
      scope,
      () => undefined,
    );
    watch.hold();
    chat.current?.begin();
    chat.current?.add(['One']);
    const hint = chat.say();
    watch.hear(hint);
    const state = chat.states().chat(SIMULATED_CHAT);
    if (state === undefined) throw new Error('it was asked for');
    await watch.joinChat(state);
    watch.release();
    expect(events).toMatchObject([
      { type: 'message', message: { seq: 2 } },
      { type: 'started', runId: 'run 1' },
      { type: 'tokens', text: 'One' },
    ]);
    expect(watch.compare(chat.states(watch.runIds()))).toEqual([]);
  });

  it('that heard of everything reads nothing', async () => {
    const chat = new SimulatedChat();
    let reads = 0;
    const { watch, events } = watchOf(chat, async () => {
      reads++;
    });
    for (let turn = 0; turn < 3; turn++) {
      watch.hear(chat.say());
      const { current } = chat;
      if (current === undefined) throw new Error('it was said something');
      for (const hint of [current.begin(), current.add(['a']), current.add(['b']), chat.end(current, false)])
        watch.hear(hint);
      for (let look = 0; look < 3; look++) expect(watch.compare(chat.states(watch.runIds()))).toEqual([]);
    }
    expect([reads, events.length]).toEqual([0, 3 * 5]);
  });

  it('gets tokens that are stored while nothing more comes', async () => {
    const chat = new SimulatedChat();
    const { watch, events } = watchOf(chat);
    watch.hear(chat.say());
    const { current } = chat;
    current?.begin();
    current?.add(['a', 'b']);
    current?.add([]);
    expect(watch.compare(chat.states(watch.runIds()))).toEqual(['run']);
    await new Promise(setImmediate);
    expect(events.map(({ type }) => type)).toEqual(['message', 'started', 'tokens']);
  });

  it.each([
    ['a hint', true],
    ['the log', false],
  ])('gets the end of a run that was given up, of whose message %s told', async (_, isHeard) => {
    const chat = new SimulatedChat();
    const { watch, events } = watchOf(chat);
    const hint = chat.say();
    if (isHeard) watch.hear(hint);
    const { current } = chat;
    if (current === undefined) throw new Error('it was said something');
    chat.end(current, true);
    for (let look = 0; look < 3; look++) {
      watch.compare(chat.states(watch.runIds()));
      await new Promise(setImmediate);
    }
    expect(events.map(({ type }) => type)).toEqual(['message', 'ended']);
  });

  it('gets messages in between, and its deletion last', () => {
    const chat = new SimulatedChat();
    const { watch, events } = watchOf(chat);
    const run = new SimulatedRun(RUN);
    for (const hint of [run.begin(), chat.say(), run.add(['a', 'b']), chat.delete(), run.end()]) watch.hear(hint);
    expect(events.map((event) => event.type)).toEqual(['started', 'message', 'tokens', 'deleted']);
  });

  it('is told of a deletion that no hint brought', () => {
    const chat = new SimulatedChat();
    const { watch, events } = watchOf(chat);
    chat.say();
    chat.delete();
    expect(watch.compare(chat.states())).toEqual(['deletion']);
    expect(events).toEqual([{ type: 'deleted' }]);
    expect(watch.compare(chat.states())).toEqual([]);
  });

  it('tells a message as its hint has it, also where a look was first', () => {
    const chat = new SimulatedChat();
    const { watch, events } = watchOf(chat);
    const hint = chat.say();
    expect(watch.compare(chat.states())).toEqual([]);
    watch.hear({ ...hint, origin: { connectionId: 'c', requestId: 'r' } } as ChatHint);
    expect(watch.compare(chat.states())).toEqual([]);
    expect(events).toMatchObject([{ type: 'message', origin: { requestId: 'r' } }]);
  });
});
