import fc from 'fast-check';
import { RoomLog, type RoomMessage } from '../../../web/src/socket/room-log';

const ROOM = 'room_1';

function message(seq: number, changes: Partial<RoomMessage> = {}): RoomMessage {
  const sender = { room_id: ROOM, sender_id: 'alice', content: `message ${seq}`, meta: null };
  const times = { created_at: '2026-01-31T12:00:00.000Z', edited_at: null, deleted_at: null };
  return { ...sender, ...times, message_id: `msg_${seq}`, client_message_id: null, seq, rev: seq, ...changes };
}

function liveLog(upTo = 0): RoomLog {
  const log = new RoomLog(ROOM, { seq: 0, rev: 0 });
  log.syncing();
  for (let seq = 1; seq <= upTo; seq++) log.message(message(seq));
  log.complete(complete(upTo));
  return log;
}

function complete(lastSeq: number, firstSeq = 1) {
  return {
    first_seq: firstSeq,
    last_seq: lastSeq,
    last_rev: lastSeq,
    last_id: lastSeq === 0 ? null : `msg_${lastSeq}`,
  };
}

const seqs = (log: RoomLog): number[] => log.messages.map(({ seq }) => seq);

describe('RoomLog', () => {
  it('takes each message once, and sees a gap', () => {
    const log = liveLog(2);
    expect(log.message(message(3))).toBe('new');
    expect(log.message(message(3))).toBe('double');
    expect(log.message(message(5))).toBe('gap');
    expect(seqs(log)).toEqual([1, 2, 3]);
    expect(log.position()).toEqual({ room_id: ROOM, after_seq: 3, after_id: 'msg_3', after_rev: 3 });
  });

  it('leaves what comes too early to the sync that is under way, and says what came with it', () => {
    const log = liveLog(2);
    log.syncing();
    expect(log.message(message(6))).toBe('early');
    for (const seq of [3, 4, 5, 6]) expect(log.message(message(seq))).toBe('new');
    expect(log.position().after_rev).toBe(2);
    expect(log.complete(complete(6))).toBe(true);
    expect(log.absences).toEqual([{ fromSeq: 3, toSeq: 6 }]);
    expect(log.position().after_rev).toBe(6);
  });

  it('asks again where a sync ends elsewhere than the log', () => {
    const log = liveLog(2);
    log.syncing();
    log.message(message(3));
    expect(log.complete(complete(5))).toBe(false);
    expect(log.isLive).toBe(false);
  });

  it('knows another log by its ids and by its end', () => {
    expect(liveLog(3).message(message(2, { message_id: 'msg_other' }))).toBe('other');
    expect(liveLog(3).complete({ ...complete(3), last_id: 'msg_other' })).toBe('other');
    expect(liveLog(3).complete(complete(2))).toBe('other');
    const log = liveLog(3);
    log.reset(2);
    expect([seqs(log), log.position()]).toEqual([[], { room_id: ROOM, after_seq: 1, after_rev: 0 }]);
  });

  it('begins anew where more was missed than a sync brings, and has the rest fetched', () => {
    const log = liveLog(3);
    log.syncing();
    log.truncated({ first_seq: 1, before_seq: 10 });
    for (const seq of [10, 11]) log.message(message(seq));
    expect(log.complete(complete(11))).toBe(true);
    expect([seqs(log), log.hasEarlier, log.absences]).toEqual([[10, 11], true, [{ fromSeq: 10, toSeq: 11 }]]);
    log.earlier([message(7), message(8), message(9)]);
    expect(seqs(log)).toEqual([7, 8, 9, 10, 11]);
  });

  it('joins only pages that end where it begins', () => {
    const log = new RoomLog(ROOM, { seq: 10, rev: 10 });
    log.earlier([message(5), message(6)]);
    expect(seqs(log)).toEqual([]);
    log.earlier([message(9), message(10), message(11)]);
    expect(seqs(log)).toEqual([9, 10]);
    log.earlier([]);
    expect(log.hasEarlier).toBe(false);
  });

  it('takes the newest of each message, in whatever order its changes come', () => {
    const log = liveLog(2);
    const edited = message(1, { rev: 9, content: 'edited', edited_at: '2026-01-31T12:01:00.000Z' });
    expect(log.change({ type: 'message.updated', ...edited })).toBe('changed');
    expect(log.change({ type: 'message.updated', ...message(1, { rev: 8, content: 'older' }) })).toBe('double');
    expect(log.messages[0]?.content).toBe('edited');
    const gone = { room_id: ROOM, message_id: 'msg_1', seq: 1, rev: 10, deleted_at: '2026-01-31T12:02:00.000Z' };
    expect(log.change({ type: 'message.deleted', ...gone })).toBe('changed');
    expect(log.messages[0]).toMatchObject({ content: '', deleted_at: gone.deleted_at });
  });

  it('applies to a page what changed while it was fetched', () => {
    const log = new RoomLog(ROOM, { seq: 3, rev: 3 });
    log.complete(complete(3));
    log.change({ type: 'message.updated', ...message(2, { rev: 7, content: 'edited' }) });
    log.earlier([message(1), message(2), message(3)]);
    expect(log.messages.map(({ content }) => content)).toEqual(['message 1', 'edited', 'message 3']);
  });

  it('drops what the room keeps no more', () => {
    const log = liveLog(5);
    log.trimmed(3);
    expect([seqs(log), log.hasEarlier]).toEqual([[3, 4, 5], false]);
    log.trimmed(9);
    expect([seqs(log), log.seq]).toEqual([[], 8]);
  });

  it('keeps a bounded stretch, and the older to be fetched', () => {
    const log = liveLog(20_000);
    expect(log.messages.length).toBeLessThanOrEqual(6000);
    expect([log.seq, log.messages.at(0)?.seq, log.hasEarlier]).toEqual([20_000, log.oldestSeq, true]);
  });

  it('has no gap and no double, whatever is cut, doubled or left out', () => {
    const step = fc.oneof(
      fc.constant('say' as const),
      fc.constant('lose' as const),
      fc.constant('double' as const),
      fc.constant('cut' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const log = liveLog(0);
        let last = 0;
        const sync = (): void => {
          log.syncing();
          for (let seq = log.seq + 1; seq <= last; seq++) log.message(message(seq));
          expect(log.complete(complete(last))).toBe(true);
        };
        for (const what of steps) {
          if (what === 'cut') sync();
          else if (what === 'say' || what === 'lose') last++;
          if ((what === 'say' || what === 'double') && last > 0 && log.message(message(last)) === 'gap') sync();
        }
        sync();
        expect(seqs(log)).toEqual(Array.from({ length: last }, (_, index) => index + 1));
      }),
    );
  });
});
