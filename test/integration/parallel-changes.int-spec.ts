import { randomBytes, randomUUID } from 'node:crypto';
import { ModelChannelEntity } from '../../src/modules/models/entities/model-channel.entity';
import { PresetEntity } from '../../src/modules/models/entities/preset.entity';
import { ChannelsRepository, type ChannelValues, isTaken } from '../../src/modules/models/channels/channels.repository';
import { PresetsRepository, type PresetValues } from '../../src/modules/models/presets/presets.repository';
import { SubscriptionEntity } from '../../src/modules/notifications/entities/notification.entity';
import { SubscriptionsRepository } from '../../src/modules/notifications/subscriptions/subscriptions.repository';
import { ApiKeyEntity } from '../../src/modules/tenants/entities/api-key.entity';
import { TenantEntity, UserEntity } from '../../src/modules/tenants/entities/tenant.entity';
import { WebhookEntity } from '../../src/modules/webhooks/entities/webhook.entity';
import { KeysRepository } from '../../src/modules/tenants/keys.repository';
import { type TenantChanges, TenantsRepository } from '../../src/modules/tenants/tenants.repository';
import { WebhooksRepository } from '../../src/modules/webhooks/webhooks.repository';
import { Database, SystemDatabase, type Transaction } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';
import { MAX_WAIT_MS } from '../support/timing';
import { type RunnerFixture, startRunner } from '../support/runner-fixture';

const ENTITIES = [
  ...[ModelChannelEntity, PresetEntity, SubscriptionEntity, ApiKeyEntity, TenantEntity, UserEntity, WebhookEntity],
];
const AT_ONCE = 50;
const PRESET: PresetValues = {
  ...{ system_prompt: '', model: null, temperature: null, max_tokens: null, context_messages: 0, options: {} },
};
const CHANNEL: ChannelValues = {
  ...{ name: 'c', provider: 'echo', base_url: '', model: 'm', priority: 0, weight: 1, enabled: true },
  ...{ max_tokens: null, temperature: null, timeout_ms: 1000, options: {} },
};
const UNCHANGED: TenantChanges = {
  ...{ name: undefined, status: undefined, settings: {}, limits: {}, clearedSettings: [], clearedLimits: [] },
  webhook: undefined,
};

let site: RunnerFixture;
let database: Database;
let presets: PresetsRepository;
let channels: ChannelsRepository;
let subscriptions: SubscriptionsRepository;
let tenants: TenantsRepository;
let keys: KeysRepository;
let webhooks: WebhooksRepository;
let tenantId: string;

beforeAll(async () => {
  site = await startRunner(8, MAX_WAIT_MS);
  await site.source.setOptions({ entities: ENTITIES }).initialize();
  const roles = roleNames('chatapi');
  database = new Database(site.runner, roles, site.source);
  const system = new SystemDatabase(site.runner, roles, site.source);
  presets = new PresetsRepository(database);
  channels = new ChannelsRepository(database);
  subscriptions = new SubscriptionsRepository(database);
  webhooks = new WebhooksRepository(database, system);
  tenants = new TenantsRepository(database, system, webhooks);
  keys = new KeysRepository(database, system);
});
afterAll(() => site.close());

beforeEach(async () => {
  tenantId = randomUUID();
  await site.database.sql(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 'test')`, [tenantId]);
});

/** So many calls at the same time; what each gave. */
function atOnce<T>(call: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, i) => call(i)));
}

/** In a transaction of the tenant, as the services make them. */
function inTransaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
  return database.transaction('test', tenantId, work);
}

const newKey = (): { key_id: string; prefix: string; hash: Buffer } => ({
  ...{ key_id: randomUUID(), prefix: 'p', hash: randomBytes(32) },
});
const createPreset = (name: string, limit: number): Promise<unknown> =>
  database.transaction('create', tenantId, (tx) =>
    presets.create(tx, { ...PRESET, name, tenant_id: tenantId }, { limit, uncounted: 'default' }),
  );
const createChannel = (name: string, limit: number): Promise<unknown> =>
  database.transaction('create', tenantId, (tx) =>
    channels.create(tx, { ...CHANNEL, name, tenant_id: tenantId, channel_id: randomUUID(), api_key: null }, limit),
  );

describe('a limit is held when many are made at the same time', () => {
  it.each([
    ['presets', createPreset],
    ['model_channels', createChannel],
  ])('%s', async (table, create) => {
    const limit = 5;
    const made = await atOnce((i) => create(`name ${i}`, limit));
    expect(made.filter((one) => one === 'full')).toHaveLength(AT_ONCE - limit);
    const rows = await site.database.sql(`SELECT 1 FROM ${table} WHERE tenant_id = $1`, [tenantId]);
    expect(rows).toHaveLength(limit);
  });
});

describe('one name is had once', () => {
  it.each([
    ['presets', createPreset],
    ['channels', createChannel],
  ])('%s', async (_, create) => {
    const made = await atOnce(() => create('the same', AT_ONCE));
    expect(made.filter((one) => one === 'taken')).toHaveLength(AT_ONCE - 1);
  });

  it('a subscription', async () => {
    const made = await atOnce(() =>
      database.transaction('subscribe', tenantId, (tx) => {
        const row = { tenant_id: tenantId, subscription_id: randomUUID(), user_id: 'ann', topic: 't' };
        return subscriptions.create(tx, row);
      }),
    );
    expect(new Set(made.map((one) => one?.subscription_id)).size).toBe(1);
  });

  it('a name that a channel is given by a change', async () => {
    await createChannel('other', AT_ONCE);
    const [other] = await channels.all(tenantId);
    await createChannel('first', AT_ONCE);
    const change = (before: ChannelValues): ChannelValues => ({ ...before, name: 'first' });
    const call = inTransaction((tx) => channels.change(tx, tenantId, other?.channel_id ?? '', change, undefined));
    expect(isTaken(await call.catch((error: unknown) => error))).toBe(true);
  });
});

describe('no change is lost when many are made at the same time', () => {
  const more = (before: PresetValues): PresetValues => ({ ...before, context_messages: before.context_messages + 1 });

  it('of a preset', async () => {
    await createPreset('p', 1);
    await atOnce(() => inTransaction((tx) => presets.change(tx, tenantId, 'p', more, undefined)));
    expect((await presets.find(tenantId, 'p'))?.context_messages).toBe(AT_ONCE);
  });

  it('of the default preset, which has no row before the first', async () => {
    await atOnce(() => inTransaction((tx) => presets.change(tx, tenantId, 'default', more, PRESET)));
    expect((await presets.find(tenantId, 'default'))?.context_messages).toBe(AT_ONCE);
  });

  it('of a channel', async () => {
    await createChannel('c', 1);
    const [channel] = await channels.all(tenantId);
    const up = (before: ChannelValues): ChannelValues => ({ ...before, priority: before.priority + 1 });
    await atOnce(() => inTransaction((tx) => channels.change(tx, tenantId, channel?.channel_id ?? '', up, undefined)));
    expect(await channels.all(tenantId)).toMatchObject([{ priority: AT_ONCE }]);
  });

  it.each(['settings', 'limits'] as const)('of the %s of a tenant', async (field) => {
    const update = (changes: object) =>
      inTransaction((tx) => tenants.update(tx, tenantId, { ...UNCHANGED, ...changes }));
    await atOnce((i) => update({ [field]: { [`key ${i}`]: i } }));
    const row = await tenants.find(tenantId);
    expect(Object.keys(row?.[field] ?? {})).toHaveLength(AT_ONCE);
    const cleared = { clearedSettings: ['key 1'], clearedLimits: ['key 1'] };
    expect((await update(cleared))?.after[field]).not.toHaveProperty('key 1');
  });

  it('of a webhook: of those that set one URL one says that it is new, and its secret is in force', async () => {
    const set = await atOnce(async (i) => {
      const webhook = { url: 'https://example.com/', events: [], secret: `secret ${i}` };
      return { ...(await inTransaction((tx) => tenants.update(tx, tenantId, { ...UNCHANGED, webhook }))), i };
    });
    const isNew = set.filter((each) => each.set === 'new');
    expect(isNew).toHaveLength(1);
    expect(await webhooks.find(tenantId)).toMatchObject({
      secret: `secret ${isNew[0]?.i ?? ''}`,
      previous_secret: null,
    });
  });

  it('of a key: without an overlap it has one successor', async () => {
    const row = { ...newKey(), name: 'k', scopes: ['chat' as const] };
    const key = await inTransaction((tx) => keys.create(tx, tenantId, row, null));
    const made = await atOnce(() => inTransaction((tx) => keys.rotate(tx, tenantId, key.key_id, newKey(), 0)));
    const next = made.flatMap((one) => one?.next ?? []);
    expect(next).toMatchObject([{ name: 'k', scopes: ['chat'], expires_at: null }]);
  });
});
