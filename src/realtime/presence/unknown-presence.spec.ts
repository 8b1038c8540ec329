import { InMemoryRooms } from '../../../test/support/realtime/in-memory-rooms';
import { PresenceNode, presenceSettled } from '../../../test/support/realtime/presence-node';
import { ManualClock } from '../../common/time';
import { type HeldKeys, MemoryBus, MemoryLeases } from '../../platform/cluster';
import { Presence } from './presence';
import { PRESENCE_HINTS } from './presence-board';

/** Leases that are as sure of their answers as a test says. */
class DoubtfulLeases extends MemoryLeases {
  doubt: Pick<HeldKeys, 'isComplete' | 'isSettling'> = { isComplete: true, isSettling: false };

  override async heldAmong(keys: readonly string[]): Promise<HeldKeys> {
    return { ...(await super.heldAmong(keys)), ...this.doubt };
  }
}

describe('presence where the leases are not sure', () => {
  const leases = new DoubtfulLeases(new ManualClock());
  const users = ['held', 'known', 'here', 'gone'];
  const presence = new Presence(
    leases,
    { knowsOnline: ({ userId }) => userId === 'known' },
    { isHere: ({ userId }) => userId === 'here' },
  );
  const ask = async () => ({
    shown: [...(await presence.online('t1', users))],
    sure: await presence.lookUp('t1', users),
    offline: await presence.offline('t1', users),
  });
  const held = new Set(['held']);
  beforeAll(() => leases.holdLease('presence:t1:held', 'c', 1000));

  it('they are: whoever is not held is offline', async () => {
    leases.doubt = { isComplete: true, isSettling: false };
    expect(await ask()).toEqual({
      shown: ['held'],
      sure: { online: held, isComplete: true },
      offline: { userIds: ['known', 'here', 'gone'], isSure: true },
    });
  });

  it('a node is missing: shown as offline, and what cannot be taken back waits', async () => {
    leases.doubt = { isComplete: true, isSettling: true };
    expect(await ask()).toEqual({
      shown: ['held'],
      sure: { online: held, isComplete: true },
      offline: { userIds: ['known', 'here', 'gone'], isSure: false },
    });
  });

  it.each([
    ['for a moment: what was known last is shown, and what cannot be taken back waits', true],
    ['for too long: it waits no more, and who is connected here is not offline', false],
  ])('nothing is known %s', async (_, isSettling) => {
    leases.doubt = { isComplete: false, isSettling };
    expect(await ask()).toEqual({
      shown: ['held', 'known', 'here'],
      sure: { online: held, isComplete: false },
      offline: { userIds: ['known', 'gone'], isSure: !isSettling },
    });
  });

  it('nobody offline is among them: that is sure, whatever else is not', async () => {
    leases.doubt = { isComplete: false, isSettling: true };
    expect(await presence.offline('t1', ['held'])).toEqual({ userIds: [], isSure: true });
    expect(await presence.offline('t1', [])).toEqual({ userIds: [], isSure: true });
  });
});

describe('a look-up that takes long', () => {
  it('says nothing of who came back while it was made', async () => {
    const clock = new ManualClock();
    const leases = new MemoryLeases(clock);
    const world = new InMemoryRooms(new Map([['room', new Set(['alice', 'watcher'])]]));
    const subscriptions: ConstructorParameters<typeof MemoryBus>[2] = new Map();
    const node = new PresenceNode('n1', { clock, leases, subscriptions, world });
    const elsewhere = new MemoryBus('n2', () => undefined, subscriptions);
    const tell = (online: boolean): Promise<void> => {
      elsewhere.publish(PRESENCE_HINTS, { kind: 'change', tenantId: 't1', userId: 'alice', online, rooms: ['room'] });
      return presenceSettled();
    };
    const watcher = await node.open('watcher');
    await tell(true);
    watcher.take();
    let answer: (rooms: ReadonlyMap<string, string[]>) => void = () => undefined;
    jest.spyOn(world.shared, 'of').mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    // Her lease has ended; then another node says that she went, and that she is back.
    node.parts.announcer.mark({ tenantId: 't1', userId: 'alice' });
    await presenceSettled();
    await tell(false);
    await leases.holdLease('presence:t1:alice', 'c', 100_000);
    await tell(true);
    answer(new Map([['alice', ['room']]]));
    await presenceSettled();
    expect(watcher.take().map((frame) => frame['status'])).toEqual(['offline', 'online']);
  });
});
