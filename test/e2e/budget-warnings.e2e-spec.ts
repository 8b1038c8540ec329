import type { TestApp, TestTenant } from '../support/app';
import { ask, createChat, FAKE_USAGE, roomIdOf, startChatApp, type WithModel } from '../support/chats/http';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';

/** What an answer of the fake model takes. */
const { total_tokens: ANSWER } = FAKE_USAGE;

let app: WithModel<TestApp>;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  app = await startChatApp({ WEBHOOK_ALLOW_PRIVATE: 'true' });
});
afterAll(async () => {
  await app.close();
  await receiver.stop();
});
beforeEach(() => receiver.received.splice(0));

async function warnedTenant(limits: object, events = ['budget.warning']): Promise<TestTenant> {
  const tenant = await hookedTenant(app, receiver, events);
  await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { limits });
  return tenant;
}

/** In a new chat, so that the prompt stays as short. */
const askAnew = async (tenant: TestTenant): Promise<unknown> => ask(tenant.key, (await createChat(tenant.key)).id);

const warnings = (): object[] => receiver.of('budget.warning').map(({ data }) => data);

describe('budget.warning', () => {
  it('comes once a day and budget, when the answer has ended with which 80 % are spent', async () => {
    const tenant = await warnedTenant({ tokens_per_day: 5 * ANSWER });
    for (let n = 0; n < 3; n++) await askAnew(tenant);
    expect(warnings()).toEqual([]);
    await askAnew(tenant);
    const [warned] = await receiver.whenReceived('budget.warning');
    expect(warned?.data).toEqual({
      limit: 'tokens_per_day',
      day: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      used: 4 * ANSWER,
      most: 5 * ANSWER,
    });
    await askAnew(tenant);
    // Another budget's warning comes after what would be a second one of this.
    await app.master.patch(`/admin/tenants/${tenant.tenantId}`, {
      limits: { tokens_per_day: 100 * ANSWER, tokens_per_chat_per_day: ANSWER + 1 },
    });
    await askAnew(tenant);
    const all = await receiver.whenReceived('budget.warning', 2);
    expect(all.map(({ data }) => data['limit'])).toEqual(['tokens_per_day', 'tokens_per_chat_per_day']);
  });

  it('says whose budget it is', async () => {
    const tenant = await warnedTenant({ tokens_per_user_per_day: ANSWER + 4, tokens_per_chat_per_day: ANSWER + 3 });
    const chat = await createChat(tenant.key);
    await ask(tenant.key, chat.id);
    const all = await receiver.whenReceived('budget.warning', 2);
    const day = expect.any(String) as string;
    expect(all.map(({ data }) => data)).toEqual(
      expect.arrayContaining([
        { limit: 'tokens_per_user_per_day', day, used: ANSWER, most: ANSWER + 4, user_id: 'alice' },
        { limit: 'tokens_per_chat_per_day', day, used: ANSWER, most: ANSWER + 3, room_id: roomIdOf(chat.id) },
      ]),
    );
  });

  it('is nothing for a tenant that did not ask for it', async () => {
    const tenant = await warnedTenant({ tokens_per_day: ANSWER }, ['message.created']);
    await askAnew(tenant);
    await receiver.whenReceived('message.created', 2);
    const [jobs] = await app.database.sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM jobs WHERE payload->>'event' = 'budget.warning'`,
    );
    expect([warnings(), jobs]).toEqual([[], { n: 0 }]);
  });
});
