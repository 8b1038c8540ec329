import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { exported, type ExportedLines, ofKind } from '../support/exports';
import { type Bodies } from '../support/http/api';
import { bodyOf, createRoom } from '../support/rooms';

const ROOMS = 3;
const EXPORTS = 4;

type Op =
  | { readonly type: 'send'; readonly content: string }
  | { readonly type: 'edit'; readonly seq: number; readonly content: string }
  | { readonly type: 'delete'; readonly seq: number };

/** What was done in a room, in order: each op is one revision. */
interface Written {
  readonly roomId: string;
  readonly before: number;
  readonly ops: Op[];
  readonly ids: string[];
}

/** A message as the ops up to a revision leave it. */
type Modelled = readonly [seq: number, content: string, isDeleted: boolean];

function stateAt({ ops, before }: Written, rev: number): Modelled[] {
  const state: Modelled[] = [];
  for (const op of ops.slice(0, rev - before)) {
    if (op.type === 'send') state.push([state.length + 1, op.content, false]);
    else if (op.type === 'edit') state[op.seq - 1] = [op.seq, op.content, false];
    else state[op.seq - 1] = [op.seq, '', true];
  }
  return state;
}

describe('an export of a tenant that goes on', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let rooms: Written[];
  let isOver = false;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    rooms = [];
    for (let n = 0; n < ROOMS; n++) {
      const { room_id: roomId, last_rev: before } = await createRoom(tenant.as('alice'), 'group', ['bob']);
      rooms.push({ roomId, before, ops: [], ids: [] });
    }
  });
  afterAll(() => app.close());

  /** Writes in one room after the other, one thing at a time, so that at each moment it is known what is there. */
  async function write(): Promise<void> {
    const alice = tenant.as('alice');
    for (let n = 0; !isOver; n++)
      for (const { roomId, ops, ids } of rooms) {
        const path = `/rooms/${roomId}/messages`;
        // Two are sent, the newer one is edited, the older one deleted.
        const seq = ids.length - (n % 4 === 3 ? 1 : 0);
        const id = ids[seq - 1] ?? '';
        if (n % 4 === 2) {
          bodyOf(await alice.patch(`${path}/${id}`, { content: `edited ${n}` }));
          ops.push({ type: 'edit', seq, content: `edited ${n}` });
        } else if (n % 4 === 3) {
          bodyOf(await alice.delete(`${path}/${id}`), 204);
          ops.push({ type: 'delete', seq });
        } else {
          const answer = await alice.post<Bodies['MessageAcceptedDto']>(path, { content: `message ${n}` });
          ids.push(bodyOf(answer, 201).message_id);
          ops.push({ type: 'send', content: `message ${n}` });
        }
      }
  }

  it('holds each room exactly as it was at its revision, all of them at one moment', async () => {
    const writing = write();
    const files: ExportedLines[] = [];
    for (let n = 0; n < EXPORTS; n++) files.push(await exported(tenant.key, tenant));
    isOver = true;
    await writing;

    const seen = files.map((file) =>
      rooms.map((room) => {
        const line = ofKind(file, 'room').find(({ room_id }) => room_id === room.roomId);
        const rev = Number(line?.['last_rev']);
        const shown = ofKind(file, 'message').filter(({ room_id }) => room_id === room.roomId);
        const state = shown.map(({ seq, content, deleted_at }) => [seq, content, deleted_at !== null]);
        expect(state).toEqual(stateAt(room, rev));
        expect(line?.['last_seq']).toBe(state.length);
        expect(Math.max(room.before, ...shown.map((message) => Number(message['rev'])))).toBeLessThanOrEqual(rev);
        return rev - room.before;
      }),
    );
    // The writer goes round: no room is more than one step ahead of a later one.
    for (const revs of seen) {
      expect([...revs].sort((a, b) => b - a)).toEqual(revs);
      expect((revs[0] ?? 0) - (revs.at(-1) ?? 0)).toBeLessThanOrEqual(1);
    }
    // It did go on, between the first and the last one.
    expect(seen.at(-1)?.[0]).toBeGreaterThan((seen[0]?.[0] ?? 0) + 3);
    expect(rooms[0]?.ops.length).toBeGreaterThan(seen.at(-1)?.[0] ?? 0);
  });
});
