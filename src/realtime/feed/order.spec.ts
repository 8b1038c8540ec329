import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { JsonLineBatches } from '../../../test/support/realtime/json-line-connection';
import { eventOf, ModelDatabase, type ModelRoom } from '../../../test/support/realtime/model-log';
import type { Frame } from '../transport/connection';
import { newsAt, RoomChange } from './order';
import type { MissedPart, Position, RoomEvent } from './ports';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';
const READER = 'ann';
/** Rows of the database's pages: so few that most rooms take several. */
const PAGE = 3;
const ALL = 1000;
const BATCHES = new JsonLineBatches();

/** A number is an edit of that message. */
type Op = 'message' | 'member' | number;

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('message' as const) },
  { weight: 2, arbitrary: fc.constant('member' as const) },
  { weight: 2, arbitrary: fc.nat(20) },
);

/** A room with a past: the position that it had when the reader went, and one before that. */
interface Past {
  readonly room: ModelRoom;
  readonly database: ModelDatabase;
  readonly earlier: Position;
  readonly at: Position;
}

const past = (pageRows: number): fc.Arbitrary<Past> =>
  fc.tuple(fc.array(op, { maxLength: 40 }), fc.nat(40), fc.nat(40)).map(([ops, one, other]) => {
    const database = new ModelDatabase(TENANT, pageRows);
    const room = database.room(ROOM, [READER]);
    const positions = [room.position, ...ops.map((each) => play(room, each))];
    const [from, to] = [Math.min(one, other), Math.max(one, other)].map((n) => Math.min(n, ops.length));
    return { room, database, earlier: positions[from ?? 0] ?? room.position, at: positions[to ?? 0] ?? room.position };
  });

function play(room: ModelRoom, each: Op): Position {
  if (each === 'message') room.message();
  else if (typeof each === 'number') room.edit(each);
  else if (room.members.has('cat')) room.leave('cat');
  else room.join('cat');
  return room.position;
}

/** What the reader was told: a message (`seq`), what became of one (`of`), or another change. */
interface Told {
  readonly rev: number;
  readonly seq?: number | undefined;
  readonly of?: number | undefined;
}

function told(frame: Frame): Told {
  const { type, rev, seq, of } = frame as Frame & Told;
  if (type === 'message') return { rev, seq };
  return type.startsWith('message.') ? { rev, of: of ?? seq } : { rev };
}

const tell = (events: readonly RoomEvent[]): Told[] => events.map((event) => told(event.frame()));

async function logAfter({ database }: Past, position: Position): Promise<RoomEvent[]> {
  const events: RoomEvent[] = [];
  let at = position;
  for (let more = true; more;) {
    const page = await database.log.after(TENANT, ROOM, at, ALL);
    events.push(...page.events);
    at = page.position;
    ({ more } = page);
  }
  return events;
}

async function synced({ database, room, at }: Past): Promise<Told[]> {
  const events: RoomEvent[] = [];
  const { rev: throughRev, seq: throughSeq } = room.position;
  const bounds = { throughSeq, throughRev, changedThroughSeq: at.seq, marks: false, named: undefined };
  let part: MissedPart = { roomId: ROOM, afterSeq: at.seq, afterRev: at.rev, ...bounds };
  for (let more = true; more;) {
    const pages = await database.log.missed(TENANT, READER, [part], { messages: ALL, changes: ALL, bytes: Infinity });
    const page = pages[0] ?? { events: [], ...part, more: false };
    events.push(...page.events);
    part = { ...part, afterSeq: page.afterSeq, afterRev: page.afterRev };
    ({ more } = page);
  }
  return tell(events);
}

/** What a channel that has delivered these tells a connection that follows it. */
function news({ room, at }: Past, delivered: readonly RoomEvent[]): Told[] {
  const changes = newsAt(
    at,
    delivered.map((event) => RoomChange.of(event)),
    room.position,
  );
  return changes.map((change) => told(JSON.parse(change.wireAfter(at.seq, BATCHES).toString()) as Frame));
}

const lowest = (messages: readonly Told[]): number => Math.min(...messages.map(({ rev }) => rev));
const highest = (messages: readonly Told[]): number => Math.max(...messages.map(({ rev }) => rev));

/**
 * The room's order. Everything is told, messages in order of seq, what else changed in order of rev. Between the two a
 * message stands at the lowest revision of itself and of those behind it; where a page of messages ends without a word of what is
 * behind it, at the latest where they stand that were told before it.
 */
function expectOrder({ room, at }: Past, all: readonly Told[], isBlindAtPageEnds: boolean): void {
  const messages = all.filter(({ seq }) => seq !== undefined);
  expect(messages.map(({ seq }) => seq)).toEqual(room.messages.slice(at.seq).map(({ seq }) => seq));
  const others = all.filter(({ seq }) => seq === undefined);
  const revs = others.map(({ rev }) => rev);
  // An edit may come twice: where its message stood, and where it happened.
  expect(revs).toEqual(revs.toSorted((a, b) => a - b));
  const events = room.changes.filter(({ rev, type }) => rev > at.rev && !type.startsWith('message'));
  expect(others.filter(({ of }) => of === undefined).map(({ rev }) => rev)).toEqual(events.map(({ rev }) => rev));
  for (const { seq, rev } of room.messages)
    if (seq > at.seq || rev > at.rev)
      expect([seq, all.findLast((each) => (each.seq ?? each.of) === seq)?.rev]).toEqual([seq, rev]);
  for (const [i, message] of messages.entries()) {
    const place = lowest(messages.slice(i));
    const latest = isBlindAtPageEnds ? highest(messages.slice(0, i + 1)) : place;
    const before = new Set(all.slice(0, all.indexOf(message)));
    for (const other of others) {
      if (other.rev < place) expect(before).toContain(other);
      if (other.rev > latest) expect(before).not.toContain(other);
    }
  }
}

const TELLERS: [who: string, pageRows: number, tells: (of: Past) => Promise<Told[]>][] = [
  ['the log', ALL, async (of) => tell(await logAfter(of, of.at))],
  ['the log, page by page', PAGE, async (of) => tell(await logAfter(of, of.at))],
  ['a sync', ALL, synced],
  ['a sync, page by page', PAGE, synced],
  ['a channel that has read the log', PAGE, async (of) => news(of, await logAfter(of, of.earlier))],
  [
    'a channel that was told of each change',
    ALL,
    (of) => {
      const changes = of.room.changes.filter(({ rev }) => rev > of.earlier.rev);
      return Promise.resolve(
        news(
          of,
          changes.map((change) => eventOf(TENANT, ROOM, change)),
        ),
      );
    },
  ],
];

describe('a room’s order, from a position to its end', () => {
  it.each(TELLERS)('is that of %s', async (who, pageRows, tells) => {
    const law = fc.asyncProperty(past(pageRows), async (of) =>
      expectOrder(of, await tells(of), who === 'a sync, page by page'),
    );
    await fc.assert(law, { numRuns: runs(500) });
  });
});
