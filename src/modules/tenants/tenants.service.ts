import { Injectable } from '@nestjs/common';
import { forbidden, invalid, invalidFields, notFound } from '../../common/errors';
import { decodeId, encodeId, newUuid } from '../../common/ids';
import { pageInfo, type PageRequest } from '../../common/limits';
import { normalOrigin, originFault } from '../../common/urls';
import { Audit, type AuditEntry, type AuditFields, shownUrl } from '../../platform/audit';
import { type Caller, LIMIT_DEFAULTS, SETTING_DEFAULTS } from '../../platform/auth';
import { Effects } from '../../platform/idempotency';
import { hashApiKey, newApiKey, shownPrefix } from './api-key';
import type {
  CreateTenantDto,
  EffectiveDto,
  SettingsDto,
  TenantCreatedDto,
  TenantDto,
  TenantPageDto,
  TenantUpdatedDto,
  UpdateTenantDto,
} from './dto/tenant.dto';
import type { NewKeyRow } from './keys.repository';
import {
  type NewTenantRow,
  type TenantChange,
  type TenantChanges,
  type TenantRow,
  TenantsRepository,
} from './tenants.repository';
import { beingDeleted } from './tenants.functions';
import { TenantCredentialVerifier } from './verifier';
import { type FreshWebhook, type WebhookSetting, WebhookSettings } from './webhook-settings';

/** Below every id. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** Creates, shows and changes tenants. */
@Injectable()
export class TenantsService {
  constructor(
    private readonly repository: TenantsRepository,
    private readonly verifier: TenantCredentialVerifier,
    private readonly webhooks: WebhookSettings,
    private readonly effects: Effects,
    private readonly audit: Audit,
  ) {}

  /** Makes a tenant and its first key, which has the scopes chat and admin. The key is in this answer only. */
  async create(caller: Caller, input: CreateTenantDto): Promise<TenantCreatedDto> {
    const apiKey = newApiKey();
    const tenantId = newUuid();
    const fresh = this.freshWebhook(tenantId, input.settings) ?? undefined;
    const tenant: NewTenantRow = {
      tenant_id: tenantId,
      name: input.name,
      settings: splitSettings(input.settings).set,
      limits: splitLimits(input.limits).set,
    };
    const key = firstKey(apiKey);
    const row = await this.repository.create(tenant, key, fresh?.webhook, (tx) =>
      this.audit.write(tx, tenantId, caller, 'tenant.create', {
        target: encodeId('tenant', tenantId),
        after: audited({ ...tenant, webhook: fresh?.webhook ?? null }, fresh !== undefined),
        details: { key: encodeId('key', key.key_id) },
      }),
    );
    return {
      tenant_id: encodeId('tenant', row.tenant_id),
      name: row.name,
      api_key: apiKey,
      effective: effectiveOf(row, fresh?.webhook ?? null),
      created_at: row.created_at.toISOString(),
      ...(fresh === undefined ? {} : { webhook_secret: fresh.secret }),
    };
  }

  /** Makes the tenant of a first start, or gives it one more key if it is there; returns the key. */
  async seedTenant(tenantId: string, name: string): Promise<string> {
    const apiKey = newApiKey();
    await this.repository.seed({ tenant_id: tenantId, name, settings: {}, limits: {} }, firstKey(apiKey));
    return apiKey;
  }

  /** All tenants in turn, by pages; the next one is asked for with the last id of the page before. */
  idsAfter(tenantId = NO_TENANT): Promise<string[]> {
    return this.repository.idsAfter(tenantId);
  }

  async list(page: PageRequest): Promise<TenantPageDto> {
    const { rows, total } = await this.repository.page(page);
    return { tenants: rows.map(tenantView), ...pageInfo(page, rows.length, total) };
  }

  async get(caller: Caller, tenantId: string): Promise<TenantDto> {
    const row = await this.repository.find(idFor(caller, tenantId));
    if (!row) throw notFound('Tenant');
    return tenantView(row);
  }

  /** Changes what is sent. `status` and `limits` are the master key's. In force within 2 s, here at once. */
  async update(caller: Caller, tenantId: string, input: UpdateTenantDto): Promise<TenantUpdatedDto> {
    const id = await this.managed(caller, tenantId);
    if (caller.kind !== 'master' && (input.status !== undefined || input.limits !== undefined))
      throw forbidden('Changing status or limits needs the master key');
    const settings = splitSettings(input.settings);
    const limits = splitLimits(input.limits);
    const fresh = this.freshWebhook(id, input.settings);
    const changed = await this.store(caller, id, {
      name: input.name,
      status: input.status,
      settings: settings.set,
      limits: limits.set,
      clearedSettings: settings.cleared,
      clearedLimits: limits.cleared,
      webhook: fresh === null ? null : fresh?.webhook,
    });
    this.verifier.forget();
    if (fresh !== undefined) await this.webhooks.changed();
    if (!changed) throw notFound('Tenant');
    return {
      ...tenantView(changed.after),
      ...(changed.set === 'new' && fresh ? { webhook_secret: fresh.secret } : {}),
    };
  }

  async exists(tenantId: string): Promise<boolean> {
    return (await this.repository.stateOf(tenantId)) !== undefined;
  }

  /**
   * The tenant's UUID, when it exists and the caller may manage it; another tenant's id is not found. While a tenant is being
   * deleted it may be looked at only: whatever is audited is 409.
   */
  async managed(caller: Caller, tenantId: string): Promise<string> {
    const id = idFor(caller, tenantId);
    const state = await this.repository.stateOf(id);
    if (state === undefined) throw notFound('Tenant');
    if (state.deleting_since !== null && caller.audit !== undefined) throw beingDeleted();
    return id;
  }

  /**
   * The UUID of the tenant that a call without one in its path is about: that of `tenant_id` in the query, else the
   * caller's own. Throws 404 for one that is not there or not the caller's, 400 for none with the master key, 409 as `managed` does.
   */
  async scoped(caller: Caller, tenantId: string | undefined): Promise<string> {
    if (tenantId !== undefined) return this.managed(caller, tenantId);
    if (caller.kind === 'master') throw invalid('tenant_id', 'tenant_id is required with the master key');
    return caller.tenantId;
  }

  /** How much the tenant has of what is limited in all. */
  counts(tenantId: string): Promise<{ readonly users: number; readonly rooms: number }> {
    return this.repository.counts(tenantId);
  }

  private async store(caller: Caller, tenantId: string, changes: TenantChanges): Promise<TenantChange | undefined> {
    const { changed } = await this.effects.transaction(
      caller,
      'update tenant',
      async (tx) => {
        const changed = await this.repository.update(tx, tenantId, changes);
        return { status: changed === undefined ? 'not_found' : 'ok', changed };
      },
      {
        tenantId,
        audit: {
          action: 'tenant.update',
          entry: ({ changed }) => changed && changeOf(changed),
        },
      },
    );
    return changed;
  }

  /** undefined: nothing was said of a webhook; null: it is to be taken away. */
  private freshWebhook(tenantId: string, settings: SettingsDto | undefined): FreshWebhook | null | undefined {
    const webhook = settings?.webhook;
    return webhook && this.webhooks.fresh(tenantId, webhook.url, webhook.events);
  }
}

/** The UUID behind an id. Throws 404 for one that cannot exist, and for another tenant's. */
function idFor(caller: Caller, tenantId: string): string {
  const id = decodeId('tenant', tenantId);
  if (id === undefined || (caller.kind !== 'master' && caller.tenantId !== id)) throw notFound('Tenant');
  return id;
}

/** A tenant as the admin API shows it: limits with the defaults filled in. */
function tenantView(row: TenantRow): TenantDto {
  return {
    tenant_id: encodeId('tenant', row.tenant_id),
    name: row.name,
    status: row.deleting_since === null ? row.status : 'deleting',
    settings: row.webhook === null ? row.settings : { ...row.settings, webhook: row.webhook },
    limits: { ...LIMIT_DEFAULTS, ...row.limits },
    effective: effectiveOf(row, row.webhook),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function effectiveOf(
  { limits, settings }: Pick<TenantRow, 'limits' | 'settings'>,
  webhook: WebhookSetting | null,
): EffectiveDto {
  const hook = webhook === null ? {} : { webhook: { url: webhook.url, events: webhook.events } };
  return {
    limits: inForce(LIMIT_DEFAULTS, limits),
    settings: inForce({ ...SETTING_DEFAULTS, webhook: null }, { ...settings, ...hook }),
  };
}

function inForce(defaults: object, own: object): object {
  const set = new Map<string, unknown>(Object.entries(own));
  return Object.fromEntries(
    Object.entries(defaults).map(([name, standard]: [string, unknown]) => [
      name,
      {
        value: set.has(name) ? set.get(name) : standard,
        default: standard,
        source: set.has(name) ? 'tenant' : 'default',
      },
    ]),
  );
}

function changeOf({ before, after, set }: TenantChange): AuditEntry<'tenant.update'> {
  const isEnabled = set === 'enabled';
  return {
    target: encodeId('tenant', after.tenant_id),
    before: { ...audited(before), ...(isEnabled && { 'webhook.enabled': false }) },
    after: { ...audited(after, set === 'new'), ...(isEnabled && { 'webhook.enabled': true }) },
  };
}

/**
 * What the audit log may show of a tenant.
 * @param isNewSecret its webhook has a secret that it had not before
 */
function audited(
  tenant: Pick<TenantRow, 'name' | 'settings' | 'limits' | 'webhook'> & { readonly status?: TenantRow['status'] },
  isNewSecret = false,
): AuditFields<'tenant.update'> {
  const { name, status, settings, limits, webhook } = tenant;
  const named = (area: string, values: object): [string, unknown][] =>
    Object.entries(values).map(([key, value]) => [`${area}.${key}`, value]);
  return {
    name,
    status,
    ...Object.fromEntries([...named('settings', settings), ...named('limits', limits)]),
    ...(webhook && {
      'webhook.url': shownUrl(webhook.url),
      'webhook.events': webhook.events,
      'webhook.secret': isNewSecret ? 'new' : 'old',
    }),
  };
}

function firstKey(apiKey: string): NewKeyRow {
  return {
    key_id: newUuid(),
    name: 'first key',
    prefix: shownPrefix(apiKey),
    hash: hashApiKey(apiKey),
    scopes: ['chat', 'admin'],
  };
}

interface Split {
  readonly set: Record<string, unknown>;
  readonly cleared: string[];
}

/** null takes a setting back to its default. The webhook has a table of its own. Throws 400 for what is no origin. */
function splitSettings(values: SettingsDto | undefined): Split {
  const { webhook: _, ...rest } = values ?? {};
  const { allowed_origins: origins } = rest;
  return split(origins ? { ...rest, allowed_origins: normalOrigins(origins) } : rest, null);
}

function normalOrigins(origins: readonly string[]): string[] {
  const faults = origins.flatMap((item, i) => {
    const fault = originFault(item);
    const field = `settings.allowed_origins[${i}]`;
    return fault === undefined ? [] : [{ field, message: `${field} ${fault}` }];
  });
  if (faults.length > 0) throw invalidFields(faults);
  return [...new Set(origins.map(normalOrigin))];
}

/** "default" takes a limit back to its default; null is a value: unlimited. */
function splitLimits(values: object | undefined): Split {
  return split(values, 'default');
}

function split(values: object | undefined, reset: unknown): Split {
  const entries: [string, unknown][] = Object.entries(values ?? {});
  return {
    set: Object.fromEntries(entries.filter(([, value]) => value !== reset)),
    cleared: entries.filter(([, value]) => value === reset).map(([name]) => name),
  };
}
