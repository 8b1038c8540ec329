import fc from 'fast-check';
import { type Ack, historyFaults, type History, type Intent, type LogEntry } from './message-history';

interface Sent {
  readonly room: number;
  readonly acks: number;
}

/** Some rooms with whole logs, and one or several acknowledgements (or none) for each message. */
const histories = fc
  .array(fc.record({ room: fc.nat(2), acks: fc.nat(2) }), { minLength: 2, maxLength: 30 })
  .filter((sent) => sent.some(({ acks }) => acks > 0))
  .map(historyOf);

function historyOf(sent: readonly Sent[]): History {
  const intents: Intent[] = [];
  const acks: Ack[] = [];
  const logs = new Map<string, LogEntry[]>();
  sent.forEach((message, i) => {
    const intent = {
      roomId: `room_${message.room}`,
      senderId: `u${i % 3}`,
      clientMessageId: `c${i}`,
      content: `text ${i}`,
      // Half of them were sent when all that stands before them was acknowledged, the others at the same time.
      afterSeq: i % 2 === 0 ? (logs.get(`room_${message.room}`)?.length ?? 0) : 0,
    };
    const log = logs.get(intent.roomId) ?? [];
    const entry: LogEntry = {
      seq: log.length + 1,
      message_id: `msg_${i}`,
      sender_id: intent.senderId,
      content: intent.content,
      client_message_id: intent.clientMessageId,
      created_at: new Date(1_700_000_000_000 + i).toISOString(),
    };
    intents.push(intent);
    logs.set(intent.roomId, [...log, entry]);
    const ack = { clientMessageId: intent.clientMessageId, roomId: intent.roomId, seq: entry.seq };
    for (let n = 0; n < message.acks; n++)
      acks.push({ ...ack, messageId: entry.message_id, createdAt: entry.created_at });
  });
  const shown = new Map([...logs].map(([roomId, log]) => [roomId, log.slice(0, sent.length % (log.length + 1))]));
  return { intents, acks, withdrawn: new Set(['never stored']), logs, shown };
}

/** A history in which one log, chosen by `pick`, is changed by `edit`; the first with at least `size` messages. */
function doctored(history: History, size: number, edit: (log: LogEntry[]) => LogEntry[]): History | undefined {
  const found = [...history.logs].find(([, log]) => log.length >= size);
  return found && { ...history, logs: new Map([...history.logs, [found[0], edit([...found[1]])]]) };
}

function expectFault(history: History | undefined, fault: RegExp): void {
  fc.pre(history !== undefined);
  expect(historyFaults(history).some((line) => fault.test(line))).toBe(true);
}

const renumbered = (log: readonly LogEntry[]): LogEntry[] => log.map((entry, i) => ({ ...entry, seq: i + 1 }));
const forAll = (check: (history: History) => void): void => fc.assert(fc.property(histories, check));

describe('faultsOf', () => {
  it('finds nothing in a history that keeps all promises', () => {
    forAll((history) => expect(historyFaults(history)).toEqual([]));
  });

  it('finds an acknowledged message that is lost, even when the numbers are closed up behind it', () => {
    forAll((history) => {
      const [ack] = history.acks;
      const log = history.logs.get(ack?.roomId ?? '') ?? [];
      const left = renumbered(log.filter((entry) => entry.client_message_id !== ack?.clientMessageId));
      expectFault({ ...history, logs: new Map([...history.logs, [ack?.roomId ?? '', left]]) }, /is lost/);
    });
  });

  it('finds a message that is stored twice under two ids', () => {
    forAll((history) => {
      const double = (log: LogEntry[]): LogEntry[] =>
        renumbered([...log, ...log.slice(-1).map((entry) => ({ ...entry, message_id: 'msg_other' }))]);
      expectFault(doctored(history, 1, double), /client message .* twice/);
    });
  });

  it('finds one message id under two numbers', () => {
    forAll((history) => {
      const double = (log: LogEntry[]): LogEntry[] => renumbered([...log, ...log.slice(-1)]);
      expectFault(doctored(history, 1, double), /message msg_\d+ is there twice/);
    });
  });

  it('finds a gap', () => {
    forAll((history) => {
      const gap = (log: LogEntry[]): LogEntry[] =>
        log.map((entry, i) => (i === 0 ? entry : { ...entry, seq: entry.seq + 1 }));
      expectFault(doctored(history, 2, gap), /stands at position/);
    });
  });

  it('finds two acknowledged messages that have changed places', () => {
    const acknowledged = fc.array(fc.record({ room: fc.constant(0), acks: fc.constant(1) }), {
      minLength: 2,
      maxLength: 9,
    });
    fc.assert(
      fc.property(acknowledged.map(historyOf), (history) => {
        const swap = ([first, second, ...rest]: LogEntry[]): LogEntry[] =>
          first && second
            ? renumbered([
                { ...second, created_at: first.created_at },
                { ...first, created_at: second.created_at },
                ...rest,
              ])
            : [];
        expectFault(doctored(history, 2, swap), /was acknowledged as seq/);
      }),
    );
  });

  it('finds other content than what was sent, and another sender', () => {
    forAll((history) => {
      const change = (part: Partial<LogEntry>) => (log: LogEntry[]) => log.map((entry) => ({ ...entry, ...part }));
      expectFault(doctored(history, 1, change({ content: 'other' })), /is not what was sent/);
      expectFault(doctored(history, 1, change({ sender_id: 'mallory' })), /is not what was sent/);
    });
  });

  it('finds a message that nobody sent, and one in another room than its own', () => {
    forAll((history) => {
      const change = (log: LogEntry[]): LogEntry[] => log.map((entry) => ({ ...entry, client_message_id: null }));
      expectFault(doctored(history, 1, change), /nobody sent/);
      const [log] = [...history.logs.values()];
      expectFault(
        { ...history, logs: new Map([...history.logs, ['room_other', log ?? []]]) },
        /room_other: nobody sent/,
      );
    });
  });

  it('finds a message whose sender was told that it is not stored', () => {
    forAll((history) => {
      const [intent] = history.intents;
      expectFault({ ...history, withdrawn: new Set([intent?.clientMessageId ?? '']) }, /told that it is not/);
    });
  });

  it('finds a message that stands before one that was acknowledged when it was sent', () => {
    forAll((history) => {
      const intents = history.intents.map((intent) => ({ ...intent, afterSeq: intent.afterSeq + 1 }));
      expectFault({ ...history, intents }, /acknowledged already/);
    });
  });

  it('finds what a reader was shown and is gone, or stands elsewhere', () => {
    forAll((history) => {
      const shown = new Map([...history.logs].map(([roomId, log]) => [roomId, [...log].reverse()]));
      fc.pre([...shown.values()].some((log) => log.length > 1));
      expectFault({ ...history, shown }, /a reader was shown/);
      const logs = new Map([...history.logs].map(([roomId, log]) => [roomId, log.slice(0, -1)]));
      expectFault({ ...history, logs, shown: history.logs }, /a reader was shown/);
    });
  });

  it('finds time that runs backwards', () => {
    forAll((history) => {
      const rewind = (log: LogEntry[]): LogEntry[] =>
        log.map((entry, i) => (i === 0 ? entry : { ...entry, created_at: new Date(0).toISOString() }));
      expectFault(doctored(history, 2, rewind), /older than the one before/);
    });
  });

  it('finds acknowledgements of one message that differ', () => {
    forAll((history) => {
      const [ack] = history.acks;
      fc.pre(ack !== undefined);
      expectFault({ ...history, acks: [...history.acks, { ...ack, seq: ack.seq + 1 }] }, /was acknowledged as seq/);
      expectFault({ ...history, acks: [...history.acks, { ...ack, messageId: 'msg_x' }] }, /was acknowledged as seq/);
    });
  });
});
