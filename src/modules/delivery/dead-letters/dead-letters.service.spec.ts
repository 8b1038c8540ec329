import { explorerOf } from '../../../../test/support/providers';
import { encodeId, newUuid } from '../../../common/ids';
import { Caller } from '../../../platform/auth';
import type { Audit } from '../../../platform/audit';
import type { Sql } from '../../../platform/database';
import type { Effects } from '../../../platform/idempotency';
import { SilentLog } from '../../../platform/logging';
import { Metrics } from '../../../platform/metrics';
import { Gauges } from '../../../platform/metrics/metrics';
import type { TenantsService } from '../../tenants';
import { DeadLettersService } from './dead-letters.service';
import {
  type DeadLetterKind,
  DeadLetterRegistry,
  type DeadLetters,
  type DeadLetterSelection,
  DeadLetterSource,
} from './sources';

const TENANT = newUuid();

/** A kind whose letters are known by their ids alone. */
class FakeSource<K extends DeadLetterKind> implements DeadLetters<K> {
  readonly selections: DeadLetterSelection[] = [];

  constructor(readonly ids: string[]) {}

  list(_tenantId: string, limit: number): Promise<never[]> {
    return Promise.resolve(this.ids.slice(0, limit).map((id) => ({ id: encodeId('deadLetter', id) }) as never));
  }

  replay(_tenantId: string, selection: DeadLetterSelection): Promise<number> {
    this.selections.push(selection);
    return Promise.resolve(this.ids.filter((id) => selection.ids?.includes(id) !== false).length);
  }

  drop(_tx: Sql, _tenantId: string, id: string): Promise<boolean> {
    const at = this.ids.indexOf(id);
    if (at >= 0) this.ids.splice(at, 1);
    return Promise.resolve(at >= 0);
  }

  count(): Promise<number> {
    return Promise.resolve(this.ids.length);
  }
}

@DeadLetterSource('message')
class Messages extends FakeSource<'message'> {}

@DeadLetterSource('notification')
class Notifications extends FakeSource<'notification'> {}

@DeadLetterSource('webhook')
class Webhooks extends FakeSource<'webhook'> {}

function registryOf(...sources: readonly object[]): DeadLetterRegistry {
  const registry = new DeadLetterRegistry(explorerOf(...sources));
  registry.onModuleInit();
  return registry;
}

describe('dead letters of several kinds', () => {
  const policy = { tenantId: TENANT, status: 'active', limits: {}, settings: {} } as const;
  const caller = new Caller('key', 'request', policy, undefined, 'key', ['admin']);
  let metrics: Metrics;
  let service: DeadLettersService;
  let notifications: FakeSource<'notification'>;
  let webhooks: FakeSource<'webhook'>;

  beforeEach(() => {
    metrics = new Metrics(new SilentLog());
    const effects = {
      harmless: (_caller: unknown, _tenant: unknown, effect: () => unknown) => effect(),
      transaction: (_caller: unknown, _name: string, effect: (tx: object) => unknown) => effect({}),
      announce: () => Promise.resolve(),
    };
    notifications = new Notifications([newUuid(), newUuid()]);
    webhooks = new Webhooks([newUuid()]);
    const registry = registryOf(new Messages([]), notifications, webhooks);
    new Gauges(explorerOf(registry), metrics).onModuleInit();
    const tenants = { scoped: ({ tenantId }: Caller) => Promise.resolve(tenantId) };
    service = new DeadLettersService(
      registry,
      tenants as unknown as TenantsService,
      effects as unknown as Effects,
      { nothing: () => undefined } as unknown as Audit,
    );
  });

  const outer = (uuid = ''): string => encodeId('deadLetter', uuid);

  it('are listed each in their own list, which may be empty', async () => {
    expect(await service.list(caller, { limit: 1 })).toEqual({
      failed_messages: [],
      failed_notifications: [{ id: outer(notifications.ids[0]) }],
      failed_webhooks: [{ id: outer(webhooks.ids[0]) }],
    });
  });

  it('are replayed by every source, or by that of the kind alone', async () => {
    const ids = [outer(notifications.ids[1]), outer(webhooks.ids[0]), 'dl_unknown'];
    expect(await service.replay(caller, undefined, { ids })).toEqual({ replayed: 2 });
    expect(await service.replay(caller, undefined, { filter: {} })).toEqual({ replayed: 3 });
    const before = '2026-01-02T03:04:05Z';
    const filter = { kind: 'webhook', user_id: 'bob', before } as const;
    expect(await service.replay(caller, undefined, { filter })).toEqual({ replayed: 1 });
    expect(webhooks.selections.at(-1)).toEqual({ userId: 'bob', before: new Date(before) });
    expect(notifications.selections).toHaveLength(2);
  });

  it('are dropped wherever they are', async () => {
    const id = outer(webhooks.ids[0]);
    await service.drop(caller, undefined, id);
    expect(webhooks.ids).toEqual([]);
    await expect(service.drop(caller, undefined, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are counted by kind', async () => {
    expect(await metrics.text()).toContain('chatapi_dead_letters{kind="notification"} 2');
  });

  it('have one source per kind, or the server does not start', () => {
    const [message, notification, webhook] = [new Messages([]), new Notifications([]), new Webhooks([])];
    expect(() => registryOf(message, notification, webhook, new Webhooks([]))).toThrow(
      'Two sources of dead letters of the kind webhook: Webhooks is the second',
    );
    expect(() => registryOf(notification)).toThrow('No source of dead letters of the kind message, webhook');
  });
});
