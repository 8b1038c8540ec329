import fc from 'fast-check';
import { unavailable } from '../../common/errors';
import { newUuid } from '../../common/ids';
import { PresenceConnection } from '../../../test/support/realtime/presence-connection';
import { NO_AGENTS, NO_TURNS, RecordingFeed, typingOn } from '../../../test/support/realtime/recording-feed';
import type { NewMessage, Stored } from './appender/item';
import { MessageFeed } from './message-feed';
import { messageFrame, messageText, rowOf } from './views';

const message = fc
  .record({
    senderId: fc.stringMatching(/^[!-+\--~]{1,128}$/),
    content: fc.string({ unit: 'binary', minLength: 1 }),
    metaText: fc.option(fc.dictionary(fc.string(), fc.jsonValue()).map((meta) => JSON.stringify(meta))),
    clientMessageId: fc.option(fc.string({ unit: 'binary', minLength: 1, maxLength: 64 })),
  })
  .map((fields): NewMessage => ({
    ...fields,
    tenantId: newUuid(),
    roomId: newUuid(),
    messageId: newUuid(),
    bodyHash: Buffer.alloc(0),
  }));

const storedAs = (of: NewMessage, status: 'new' | 'duplicate' = 'new'): Stored => ({
  status,
  messageId: of.messageId,
  seq: 3,
  rev: 7,
  createdAt: new Date('2026-01-31T12:00:00.120Z'),
});

describe('a new message on the feed', () => {
  it('is the object that REST shows, with its type, as text', () => {
    fc.assert(
      fc.property(message, (of) => {
        const frame = messageFrame(rowOf(of, storedAs(of)));
        expect(JSON.parse(messageText(rowOf(of, storedAs(of))))).toEqual(JSON.parse(JSON.stringify(frame)));
      }),
    );
  });

  it('is published when it was stored; nobody knows: the room is looked at; refused or repeated: nothing', () => {
    const feed = new RecordingFeed();
    const batch = fc.sample(message, 5);
    const [stored, unknown] = batch as [NewMessage, NewMessage];
    new MessageFeed(feed, typingOn(feed), NO_TURNS, NO_AGENTS).written(batch, [
      storedAs(stored),
      { status: 'failed', error: unavailable('gone', { outcome: 'unknown' }) },
      { status: 'failed', error: unavailable('gone', { outcome: 'none' }) },
      { status: 'duplicate', messageId: newUuid(), seq: 1, rev: 1, createdAt: new Date() },
      { status: 'not_member' },
    ]);
    expect(feed.events.map(({ roomId, rev, seq }) => ({ roomId, rev, seq }))).toEqual([
      { roomId: stored.roomId, rev: 7, seq: 3 },
    ]);
    expect(feed.touched.map(({ roomId }) => roomId)).toEqual([unknown.roomId]);
  });

  it('S24: ends its sender’s typing when it was stored, and only then', () => {
    const feed = new RecordingFeed();
    const typing = typingOn(feed);
    const said = fc.sample(message, 1)[0] as NewMessage;
    const messages = new MessageFeed(feed, typing, NO_TURNS, NO_AGENTS);
    const types = (): void =>
      typing.startTyping(new PresenceConnection('c', said.tenantId, said.senderId), said.roomId);
    const told = (): unknown[] => feed.signals.splice(0).map(({ frame }) => frame['action']);
    types();
    messages.written([said], [{ status: 'not_member' }]);
    messages.written([said], [storedAs(said, 'duplicate')]);
    expect(told()).toEqual(['start']);
    messages.written([said], [storedAs(said)]);
    expect(told()).toEqual(['stop']);
  });
});
