import { PostponeJob } from '../../platform/jobs';
import type { OfflineAnswer, Presence } from '../../realtime';
import type { MessageDto } from '../messages';
import { EventFacts, OfflineMembers } from './planner';

const TENANT = 'tenant';
const ROOM = 'room';

/** A room of three, of whom ben has acknowledged up to 7. @param notify what each wants to be told of */
function setUp(answer: OfflineAnswer, notify = 'all') {
  const asked: (readonly string[])[] = [];
  const presence: Pick<Presence, 'offline'> = {
    offline: (_, userIds) => {
      asked.push(userIds);
      return Promise.resolve(answer);
    },
  };
  const members = ['ann', 'ben', 'cat'].map((user_id, n) => ({ user_id, joined_seq: 0, member_no: n + 1, notify }));
  const rooms = { membersAfter: () => Promise.resolve(members) };
  const delivery = { ackedBy: () => Promise.resolve(new Map([['ben', 7]])) };
  const notification = { notification_id: 'notif_1', topic: 'news', payload: {}, created_at: '2026-01-01T00:00:00Z' };
  const notifications = { waiting: () => Promise.resolve({ notification, userIds: ['ann', 'ben'] }) };
  // Only what is asked of them here.
  const offline = new OfflineMembers(rooms as never, delivery as never, presence as never);
  const facts = new EventFacts(rooms as never, {} as never, notifications as never, offline);
  return { asked, offline, facts };
}

async function pagesOf(offline: OfflineMembers, message: Partial<MessageDto>): Promise<string[]> {
  const users: string[] = [];
  for await (const { userIdsOf } of offline.pages(TENANT, ROOM)) users.push(...userIdsOf(message as MessageDto));
  return users;
}

describe('what is posted of offline users', () => {
  const message = { seq: 7, sender_id: 'zoe' };
  const notice = { event: 'notification.offline', notification_id: 'n1', user_ids: ['ann', 'ben'] } as const;
  const planned = async (facts: EventFacts, isUnsure?: boolean): Promise<unknown[]> => {
    const posts: unknown[] = [];
    const payload = { ...notice, ...(isUnsure === undefined ? {} : { is_unsure: isUnsure }) };
    for await (const batch of facts.of(TENANT, payload)) posts.push(...batch.map(({ userIds }) => userIds));
    return posts;
  };

  it('a message: those who are offline for sure, without those who have acknowledged it', async () => {
    const { offline } = setUp({ userIds: ['ann', 'ben'], isSure: true });
    expect(await pagesOf(offline, message)).toEqual(['ann']);
  });

  it.each([
    ['all', {}, ['ann', 'cat']],
    ['none', { mentions: ['ann', 'cat'] }, []],
    ['mentions', { mentions: ['cat', 'zoe'] }, ['cat']],
    ['mentions', { mentions: 'ann' }, []],
    ['mentions', null, []],
  ])('a message: to those who want %s, with %j', async (notify, meta, told) => {
    const { offline } = setUp({ userIds: ['ann', 'ben', 'cat'], isSure: true }, notify);
    expect(await pagesOf(offline, { ...message, meta })).toEqual(told);
  });

  it('a message: waits as long as it is not sure, and the attempt does not count', async () => {
    const { offline } = setUp({ userIds: ['ann', 'ben'], isSure: false });
    await expect(pagesOf(offline, message)).rejects.toMatchObject({ delayMs: 30_000 });
    await expect(pagesOf(offline, message)).rejects.toBeInstanceOf(PostponeJob);
  });

  it('a notification: asks again where it was not sure when it was handed out', async () => {
    const { facts } = setUp({ userIds: ['ann'], isSure: true });
    expect(await planned(facts, true)).toEqual([['ann']]);
    await expect(planned(setUp({ userIds: ['ann'], isSure: false }).facts, true)).rejects.toBeInstanceOf(PostponeJob);
    expect(await planned(setUp({ userIds: [], isSure: true }).facts, true)).toEqual([]);
  });

  it('a notification: asks nobody where it was sure', async () => {
    const { facts, asked } = setUp({ userIds: [], isSure: false });
    expect(await planned(facts)).toEqual([['ann', 'ben']]);
    expect(asked).toEqual([]);
  });
});
