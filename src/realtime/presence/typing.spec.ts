import { PresenceConnection } from '../../../test/support/realtime/presence-connection';
import { InMemoryRooms, InMemoryAudience } from '../../../test/support/realtime/in-memory-rooms';
import { ManualClock } from '../../common/time';
import { RoomFeed } from '../feed/ports';
import type { Frame } from '../transport/connection';
import { REPEAT_MS, Typing, TYPING_MS } from './typing';

const ROOM = '01900000-0000-7000-8000-0000000000a1';
const OTHER_ROOM = '01900000-0000-7000-8000-0000000000a2';

/** Keeps the signals, as `user:action`. */
class SignalRecorder extends RoomFeed {
  readonly frames: Frame[] = [];
  private readonly signals: string[] = [];

  publishEvents(): void {
    throw new Error('typing commits nothing');
  }

  touchRoom(): void {
    throw new Error('typing commits nothing');
  }

  streamPart(): void {
    throw new Error('typing writes no message');
  }

  streamsFrom(): void {
    throw new Error('typing writes no message');
  }

  onCommitted(): () => void {
    throw new Error('nobody follows what is committed here');
  }

  signalMembers(tenantId: string, roomId: string, key: string, frame: Frame, except?: string): void {
    this.frames.push(frame);
    const user = String(frame['user_id']);
    expect([tenantId, key, except]).toEqual(['t1', `typing:${user}`, user]);
    this.signals.push(`${user}:${String(frame['action'])}${roomId === ROOM ? '' : ' elsewhere'}`);
  }

  take(): string[] {
    return this.signals.splice(0);
  }
}

function setUp() {
  const clock = new ManualClock();
  const feed = new SignalRecorder();
  const audience = new InMemoryAudience(new InMemoryRooms(new Map()));
  const typing = new Typing(feed, clock, audience);
  const open = (userId: string, id = userId) => new PresenceConnection(id, 't1', userId);
  const after = (ms: number): void => {
    clock.advance(ms);
    typing.tick();
  };
  return { feed, audience, typing, open, after };
}

describe('typing', () => {
  it('S24: ends with what the user says, whichever of their connections typed', () => {
    const { feed, typing, open, after } = setUp();
    const [phone, laptop, bob] = [open('alice', 'phone'), open('alice', 'laptop'), open('bob')];
    for (const each of [phone, laptop, bob]) typing.startTyping(each, ROOM);
    typing.startTyping(phone, OTHER_ROOM);
    feed.take();
    typing.endOnMessage('t1', ROOM, 'alice');
    typing.endOnMessage('t1', ROOM, 'alice');
    typing.endOnMessage('t1', ROOM, 'carol');
    typing.endOnMessage('t2', ROOM, 'bob');
    expect(feed.take()).toEqual(['alice:stop']);
    typing.stopTyping(phone, ROOM);
    after(TYPING_MS);
    expect(feed.take()).toEqual(['bob:stop', 'alice:stop elsewhere']);
    typing.startTyping(phone, ROOM);
    expect(feed.take()).toEqual(['alice:start']);
  });

  it('tells the others of start and stop, in the frame of the contract', () => {
    const { feed, typing, open } = setUp();
    const alice = open('alice');
    typing.startTyping(alice, ROOM);
    typing.stopTyping(alice, ROOM);
    typing.stopTyping(alice, ROOM);
    const frame = { type: 'typing', room_id: 'room_019000000000700080000000000000a1', user_id: 'alice' };
    expect(feed.frames).toEqual([
      { ...frame, action: 'start' },
      { ...frame, action: 'stop' },
    ]);
  });

  it('stops by itself after 10 s, counted from the last start', () => {
    const { feed, typing, open, after } = setUp();
    const [alice, bob] = [open('alice'), open('bob')];
    typing.startTyping(alice, ROOM);
    typing.startTyping(bob, ROOM);
    after(TYPING_MS - 1);
    typing.startTyping(alice, ROOM);
    expect(feed.take()).toEqual(['alice:start', 'bob:start', 'alice:start']);
    after(1);
    expect(feed.take()).toEqual(['bob:stop']);
    after(TYPING_MS - 2);
    expect(feed.take()).toEqual([]);
    after(1);
    expect(feed.take()).toEqual(['alice:stop']);
    after(TYPING_MS);
    expect(feed.take()).toEqual([]);
  });

  it('tells of repeated starts at most once per 3 s', () => {
    const { feed, typing, open, after } = setUp();
    const alice = open('alice');
    for (let ms = 0; ms < 2 * REPEAT_MS; ms += 100) {
      typing.startTyping(alice, ROOM);
      after(100);
    }
    expect(feed.take()).toEqual(['alice:start', 'alice:start']);
  });

  it('goes on while another connection of the user types', () => {
    const { feed, typing, open } = setUp();
    const [phone, desk] = [open('alice', 'phone'), open('alice', 'desk')];
    typing.startTyping(phone, ROOM);
    typing.startTyping(desk, ROOM);
    typing.stopTyping(phone, ROOM);
    typing.stopTyping(phone, ROOM);
    expect(feed.take()).toEqual(['alice:start']);
    desk.close();
    expect(feed.take()).toEqual(['alice:stop']);
  });

  it('ends in all rooms with the connection, and in one with leaving it', () => {
    const { feed, audience, typing, open, after } = setUp();
    const [alice, bob] = [open('alice'), open('bob')];
    typing.startTyping(alice, ROOM);
    typing.startTyping(alice, OTHER_ROOM);
    typing.startTyping(bob, ROOM);
    feed.take();
    audience.detach(bob, ROOM);
    audience.detach(bob, OTHER_ROOM);
    expect(feed.take()).toEqual(['bob:stop']);
    alice.close();
    typing.startTyping(alice, ROOM);
    expect(feed.take()).toEqual(['alice:stop', 'alice:stop elsewhere']);
    after(2 * TYPING_MS);
    expect(feed.take()).toEqual([]);
  });
});
