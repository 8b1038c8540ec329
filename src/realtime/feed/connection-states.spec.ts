import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { ChannelSimulator } from '../../../test/support/realtime/channel-simulator';
import type { JsonLineConnection } from '../../../test/support/realtime/json-line-connection';
import { ModelRoom, turns } from '../../../test/support/realtime/model-log';

const ROOM = '0190bbbb-0000-7000-8000-000000000001';
/** Whose connections there are. */
const USERS = ['ann', 'ben', 'ben', 'cat', 'cat'];
/** Users that are let out and in; cat only listens in the beginning. */
const MOVED = ['ben', 'cat'] as const;

type Act = (simulator: ChannelSimulator, room: ModelRoom) => void | Promise<void>;

class Step implements fc.AsyncCommand<ModelRoom, ChannelSimulator> {
  constructor(
    private readonly words: string,
    private readonly act: Act,
  ) {}

  check(): boolean {
    return true;
  }

  async run(room: ModelRoom, simulator: ChannelSimulator): Promise<void> {
    await this.act(simulator, room);
  }

  toString(): string {
    return this.words;
  }
}

const step = (words: string, act: Act): fc.Arbitrary<Step> => fc.constant(new Step(words, act));

const numbered = (words: string, max: number, act: (n: number) => Act): fc.Arbitrary<Step> =>
  fc.nat(max).map((n) => new Step(`${words} ${n}`, act(n)));

const onOne = (words: string, act: (of: ChannelSimulator, connection: JsonLineConnection, ago: number) => void) =>
  fc.tuple(fc.nat(USERS.length - 1), fc.nat(4)).map(
    ([n, ago]) =>
      new Step(`${words} ${n} (${ago})`, (simulator) => {
        const connection = simulator.connections[n];
        if (connection !== undefined) act(simulator, connection, ago);
      }),
  );

const commit = step('message', (_, room) => void room.message());
const moveMember = fc.constantFrom(...MOVED).map(
  (user) =>
    new Step(`${user} joins or leaves`, (_, room) => {
      if (room.members.has(user)) room.leave(user);
      else room.join(user);
    }),
);
/** In order, as a rule; else with a gap. */
const tell = fc.constantFrom(0, 0, 0, 0, 1, 2).map((skip) => new Step(`tell +${skip}`, (of) => of.tellNext(skip)));
const tellAny = numbered('tell', 30, (n) => (of) => of.tell(n));
const enter = onOne('enter', (of, connection, ago) => of.enter(connection, ago));
const hold = onOne('hold', (of, connection) => of.hold(connection));
const answer = numbered('answer', 3, (n) => (of) => of.answer(n));
const turn = step('turn', (of) => {
  of.flush();
  return turns();
});

const ANYTHING: fc.Arbitrary<Step>[] = [
  ...[commit, commit, commit, moveMember, moveMember],
  ...[tell, tell, tell, tell, tellAny],
  step('touch', (of) => of.channel.refresh()),
  ...[answer, answer, step('answer all', (of) => of.answerAll()), numbered('see', 3, (n) => (of) => of.see(n))],
  ...[turn, turn, step('wait', (of) => of.wait())],
  ...[enter, enter, onOne('admit', (of, connection) => of.admit(connection))],
  onOne('keep', (of, connection, ago) => of.keep(connection, ago)),
  ...[hold, hold, onOne('release', (of, connection) => of.release(connection))],
  onOne('release', (of, connection) => of.release(connection)),
  onOne('leave', (of, connection) => of.leave(connection)),
  onOne('lag', (_, connection) => void (connection.isSlow = true)),
  onOne('catch up', (_, connection) => connection.read()),
  step('stream', (of) => of.stream()),
];

describe('the states of a channel’s connections', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] }));
  afterEach(() => jest.useRealTimers());

  it.each([
    ['with small pages of the log', 3, ANYTHING],
    ['where more happens than a channel keeps', 50, [...ANYTHING, step('flood', (of) => of.flood())]],
  ])('bring each that is in every change of its room, once and in order, %s', async (_, page, steps) => {
    const law = fc.asyncProperty(fc.commands(steps, { maxCommands: 80, size: 'max' }), async (commands) => {
      const room = new ModelRoom(ROOM, ['ann', 'ben']);
      const simulator = new ChannelSimulator(room, USERS, page);
      await fc.asyncModelRun(() => ({ model: room, real: simulator }), commands);
      await simulator.settle();
      expect([...simulator.faults(), ...simulator.end()]).toEqual([]);
    });
    await fc.assert(law, { numRuns: runs(300) });
  });
});
