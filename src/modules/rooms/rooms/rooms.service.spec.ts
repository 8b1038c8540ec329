import fc from 'fast-check';
import { AppError } from '../../../common/errors';
import { Caller } from '../../../platform/auth';
import type { CreateRoomDto } from '../dto/room.dto';
import { dmKey, planRoom, type RoomPlan } from './rooms.service';

const userId = fc.stringMatching(/^[!-+\--~]{1,12}$/).filter((id) => !id.startsWith('agent_'));
const pair = fc.uniqueArray(userId, { minLength: 2, maxLength: 2 }).map(([a, b]) => [a ?? '', b ?? ''] as const);

const as = (kind: 'key' | 'token', user: string): Caller => new Caller(kind, 'request', undefined, user, 'key', []);
const plan = (kind: 'key' | 'token', user: string, input: CreateRoomDto): RoomPlan => planRoom(as(kind, user), input);

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return undefined;
}

describe('dmKey', () => {
  it('is the same whoever is named first', () => {
    fc.assert(fc.property(pair, ([a, b]) => dmKey(a, b) === dmKey(b, a)));
  });

  it('tells back the two ids, smaller bytes first: so no two pairs share a key', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const [prefix, ...parts] = dmKey(a, b).split(':');
        expect(prefix).toBe('dm');
        const ids = parts.map((part) => decodeURIComponent(part));
        expect(ids).toEqual(Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 ? [a, b] : [b, a]);
      }),
    );
  });

  it.each([
    ['a', 'b', 'dm:a:b'],
    ['b', 'B', 'dm:B:b'],
    ['a:b', 'a%3Ab', 'dm:a%253Ab:a%3Ab'],
    // Sorted before escaping: `:` is above `9` though `%` is below it.
    [':', '9', 'dm:9:%3A'],
  ])('of %s and %s is %s', (a, b, key) => {
    expect(dmKey(a, b)).toBe(key);
  });
});

describe('planRoom', () => {
  it.each(['group', 'channel'] as const)('puts the caller of a %s first, as its only admin', (type) => {
    fc.assert(
      fc.property(userId, fc.array(userId), (user, members) => {
        const { users, roles, uniqueKey } = plan('token', user, { type, members });
        expect(users[0]).toBe(user);
        expect(new Set(users)).toEqual(new Set([user, ...members]));
        expect(new Set(users).size).toBe(users.length);
        expect(roles).toEqual(users.map((_, i) => (i === 0 ? 'admin' : 'member')));
        expect(uniqueKey).toBeNull();
      }),
    );
  });

  it('makes the same dm of the other one alone and of both', () => {
    fc.assert(
      fc.property(pair, ([user, other]) => {
        for (const members of [[other], [user, other], [other, user, other]]) {
          const { users, roles, uniqueKey } = plan('token', user, { type: 'dm', members });
          expect([...users].sort()).toEqual([user, other].sort());
          expect(roles).toEqual(['member', 'member']);
          expect(uniqueKey).toBe(dmKey(user, other));
        }
      }),
    );
  });

  it('lets a key, and no token, name two others', () => {
    const input: CreateRoomDto = { type: 'dm', members: ['bob', 'carol'] };
    expect(plan('key', 'alice', input).users).toEqual(['bob', 'carol']);
    expect(codeOf(() => plan('token', 'alice', input))).toBe('AUTHORIZATION_ERROR');
  });

  it.each([[undefined], [[]], [['alice']], [['alice', 'alice']], [['alice', 'bob', 'carol']]])(
    'refuses a dm of %j',
    (members) => {
      expect(codeOf(() => plan('key', 'alice', { type: 'dm', ...(members ? { members } : {}) }))).toBe(
        'VALIDATION_ERROR',
      );
    },
  );
});
