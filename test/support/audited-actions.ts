import type { AuditAction } from '../../src/platform/audit';
import type { TestApp, TestTenant } from './app';
import { bearer, mintToken } from './auth';
import { DEAD_LETTERS, deadLetter } from './dead-letters';
import { deleted, deleteTenant } from './deletions';
import type { Answer, Bodies } from './http/api';
import { createChannel, createPreset, dataOf, type Enveloped } from './models';
import { exportPath, readyExport } from './exports';
import { deadJob } from './jobs';
import { createRoom, sendAll } from './rooms';
import { createKey, keysPath } from './tenants';
import { createImport, importPath, sendPart, validImport } from './transfer/imports';
import { exportFile } from './transfer/files';
import { WsClient } from './ws/client';
import { keyOf } from './ws/socket-app';

export type AuditItem = Bodies['AuditItemDto'];

/** Stands in every text, prompt and secret that the calls carry: no row may hold it. */
export const CANARY = 'c4n4ry';
/** Refused by whoever would be asked: nothing listens there. */
const HOOK = { url: `http://127.0.0.1:1/hook?token=${CANARY}`, events: ['message.created'] };

type Shown = Partial<Omit<AuditItem, 'actor' | 'target'>> & {
  readonly actor: Partial<AuditItem['actor']>;
  readonly target: AuditItem['target'];
};

/** What was done, and what its row is to show. */
export interface Done {
  /** Whose log it is in, where that is not the tenant of the call. */
  readonly tenantId?: string;
  readonly answer: Answer<unknown>;
  readonly shown: Shown;
}

/** Does what is audited on a tenant of its own. `alice` is the admin of its rooms, `bob` a member. */
export interface Ground {
  readonly app: TestApp;
  readonly tenant: TestTenant;
}

const MASTER = { kind: 'master', key_id: null, user_id: null } as const;
const ALICE = { kind: 'user', user_id: 'alice' } as const;
const KEY = { kind: 'key', user_id: null, key_name: 'first key' } as const;

const at = ({ tenant }: Ground, rest = ''): string => `/admin/tenants/${tenant.tenantId}${rest}`;
const of = (kind: string, id: string | null, user_id: string | null = null): NonNullable<AuditItem['target']> => ({
  ...{ kind, id, user_id },
});
const tenantOf = ({ tenant }: Ground): NonNullable<AuditItem['target']> => of('tenant', tenant.tenantId);

async function hooked(ground: Ground): Promise<void> {
  await ground.app.master.patch(at(ground), { settings: { webhook: HOOK } });
}

/** A group of alice's, with a message of bob's. */
async function group({ tenant }: Ground): Promise<{ roomId: string; messageId: string }> {
  const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob'], { name: CANARY });
  const [sent] = await sendAll(tenant.as('bob'), room_id, [CANARY]);
  return { roomId: room_id, messageId: sent?.message_id ?? '' };
}

const CHANNEL = { name: 'main', baseUrl: `http://127.0.0.1:1/v1`, apiKey: CANARY, priority: 1 };

/** One call for each action that is audited. */
export const AUDITED: Readonly<Record<AuditAction, (ground: Ground) => Promise<Done>>> = {
  'tenant.create': async ({ app }) => {
    const limits = { users: 5 };
    const settings = { webhook: HOOK, while_answering: 'reject' };
    const answer = await app.master.post<Bodies['TenantCreatedDto']>('/admin/tenants', {
      name: 'new',
      limits,
      settings,
    });
    const { tenant_id } = answer.body;
    const after = {
      ...{ name: 'new', 'limits.users': 5, 'settings.while_answering': 'reject' },
      ...{ 'webhook.url': 'http://127.0.0.1:1/hook', 'webhook.events': HOOK.events, 'webhook.secret': 'set' },
    };
    return {
      tenantId: tenant_id,
      answer,
      shown: { actor: MASTER, target: of('tenant', tenant_id), before: null, after },
    };
  },
  'tenant.update': async (ground) => {
    await hooked(ground);
    const settings = { webhook: { ...HOOK, url: `${HOOK.url}2` }, response_format: 'bare' };
    const answer = await ground.tenant.key.patch(at(ground), { name: 'other', settings });
    const shown = {
      before: { name: 'test', 'settings.response_format': null },
      after: { name: 'other', 'settings.response_format': 'bare', 'webhook.secret': 'changed' },
    };
    return { answer, shown: { actor: KEY, target: tenantOf(ground), ...shown } };
  },
  'tenant.delete': async (ground) => {
    const answer = await deleteTenant(ground.app.master, ground.tenant.tenantId);
    return { answer, shown: { actor: MASTER, target: tenantOf(ground), before: null, after: null } };
  },
  'tenant.deleted': async (ground) => {
    await group(ground);
    const answer = await deleteTenant(ground.app.master, ground.tenant.tenantId);
    const { deletion_id, deleted: counts } = await deleted(ground.app, ground.tenant);
    const rows = Object.values(counts).reduce((sum, n) => sum + n, 0);
    // The tenant was made, and then deleted: two rows, of which the second one is the end of the chain.
    const chain = { audit_rows: 2, audit_mac: expect.stringMatching(/^[0-9a-f]{64}$/) as string };
    const details = { deletion: deletion_id, name: expect.stringMatching(/^[0-9a-f]{64}$/) as string, rows, counts };
    const shown = { before: null, after: null, details: { ...details, ...chain } };
    return { tenantId: 'installation', answer, shown: { actor: MASTER, target: tenantOf(ground), ...shown } };
  },
  'key.create': async (ground) => {
    const answer = await ground.tenant.key.post<Bodies['KeyCreatedDto']>(keysPath(ground.tenant), { name: 'second' });
    const after = { name: 'second', scopes: ['chat'] };
    return { answer, shown: { actor: KEY, target: of('key', answer.body.key_id), before: null, after } };
  },
  'key.rotate': async ({ app, tenant }) => {
    const { key_id } = await createKey(app, tenant);
    const path = `${keysPath(tenant)}/${key_id}/rotate`;
    const answer = await app.master.post<Bodies['KeyCreatedDto']>(path, { overlap_seconds: 60 });
    const shown = { before: { expires_at: null }, details: { next_key: answer.body.key_id } };
    return { answer, shown: { actor: MASTER, target: of('key', key_id), ...shown } };
  },
  'key.revoke': async ({ app, tenant }) => {
    const { key_id } = await createKey(app, tenant);
    const answer = await app.master.delete(`${keysPath(tenant)}/${key_id}`);
    return { answer, shown: { actor: MASTER, target: of('key', key_id), before: { revoked_at: null } } };
  },
  'webhook.rotate': async (ground) => {
    await hooked(ground);
    const answer = await ground.tenant.key.post(at(ground, '/webhook/rotate'), { overlap_seconds: 5 });
    const shown = { after: { secret: 'changed' }, details: { overlap_seconds: 5 } };
    return { answer, shown: { actor: KEY, target: tenantOf(ground), ...shown } };
  },
  'webhook.test': async (ground) => {
    await hooked(ground);
    const answer = await ground.app.master.post<Bodies['WebhookDeliveryDto']>(at(ground, '/webhook/test'));
    const details = { asked: true, delivery: answer.body.webhook_id };
    return { answer, shown: { actor: MASTER, target: tenantOf(ground), before: null, after: null, details } };
  },
  'dead_letters.replay': async (ground) => {
    const filter = { kind: 'message', user_id: 'bob' };
    const answer = await ground.tenant.key.post(`${DEAD_LETTERS}/replay`, { filter });
    const details = { asked: true, kind: 'message' };
    return { answer, shown: { actor: KEY, target: of('user', null, 'bob'), details } };
  },
  'dead_letter.drop': async (ground) => {
    const { roomId } = await group(ground);
    const id = await deadLetter(ground.app, ground.tenant, roomId, 'bob');
    const answer = await ground.app.master.delete(`${DEAD_LETTERS}/${id}?tenant_id=${ground.tenant.tenantId}`);
    return { answer, shown: { actor: MASTER, target: of('dead_letter', id) } };
  },
  'connection.close': async ({ app, tenant }) => {
    const socket = await WsClient.admitted(app.url, { headers: keyOf(tenant, 'bob') });
    const { items } = (await tenant.key.get<Bodies['ConnectionsDto']>('/admin/connections')).body;
    const id = items[0]?.connection_id ?? '';
    const answer = await tenant.key.delete(`/admin/connections/${id}?code=4004`);
    await socket.ended();
    const details = { asked: true, code: 4004 };
    return { answer, shown: { actor: KEY, target: of('connection', id, 'bob'), details } };
  },
  'import.create': async (ground) => {
    const path = `${at(ground)}/imports`;
    const answer = await ground.app.master.post<Bodies['ImportDto']>(path, { source: 'chatapi' });
    const details = { source: 'chatapi' };
    return { answer, shown: { actor: MASTER, target: of('import', answer.body.import_id), details } };
  },
  'import.upload': async ({ app, tenant }) => {
    const { import_id } = await createImport(app.master, tenant);
    const answer = await sendPart(app.master, tenant, import_id, 1, Buffer.from(CANARY));
    await sendPart(app.master, tenant, import_id, 2, Buffer.from(CANARY));
    return { answer, shown: { actor: MASTER, target: of('import', import_id) } };
  },
  'import.validate': async ({ app, tenant }) => {
    const { import_id } = await createImport(app.master, tenant, exportFile([]));
    const answer = await app.master.post(`${importPath(tenant, import_id)}/validate`);
    return { answer, shown: { actor: MASTER, target: of('import', import_id) } };
  },
  'import.start': async ({ app, tenant }) => {
    const { import_id } = await validImport(app.master, tenant, exportFile([]));
    const answer = await app.master.post(`${importPath(tenant, import_id)}/start`);
    await app.master.post(`${importPath(tenant, import_id)}/start`);
    return { answer, shown: { actor: MASTER, target: of('import', import_id) } };
  },
  'job.run': async ({ app, tenant }) => {
    const id = await deadJob(app.database, tenant);
    const answer = await app.master.post(`/admin/jobs/${id}/run?tenant_id=${tenant.tenantId}`);
    return { answer, shown: { actor: MASTER, target: of('job', id), details: { kind: 'nobodys' } } };
  },
  'channel.create': async ({ tenant }) => {
    const answer = await tenant.key.post<Enveloped<{ id: string }>>('/api/channels', {
      ...CHANNEL,
      provider: 'openai-compatible',
    });
    const after = { name: 'main', base_url: 'http://127.0.0.1:1/v1', priority: 1, api_key: 'set' };
    return { answer, shown: { actor: KEY, target: of('channel', dataOf(answer, 201).id), before: null, after } };
  },
  'channel.update': async ({ tenant }) => {
    const { id } = await createChannel(tenant.key, CHANNEL);
    const body = { priority: 2, apiKey: null, params: { extra: { user: CANARY } } };
    const answer = await tenant.as('alice').patch(`/api/channels/${id}`, body);
    const shown = { before: { priority: 1 }, after: { priority: 2, api_key: 'cleared', options: { changed: true } } };
    return { answer, shown: { actor: ALICE, target: of('channel', id), ...shown } };
  },
  'channel.delete': async ({ tenant }) => {
    const { id } = await createChannel(tenant.key, CHANNEL);
    const answer = await tenant.key.delete(`/api/channels/${id}`);
    return { answer, shown: { actor: KEY, target: of('channel', id), before: { name: 'main' }, after: null } };
  },
  'preset.create': async ({ tenant }) => {
    const body = { name: 'support', systemPrompt: CANARY, stop: [CANARY], model: 'm' };
    const answer = await tenant.key.post('/api/presets', body);
    const after = { model: 'm', system_prompt: { changed: true }, options: { changed: true } };
    return { answer, shown: { actor: KEY, target: of('preset', 'support'), before: null, after } };
  },
  'preset.update': async ({ tenant }) => {
    const answer = await tenant.key.patch('/api/presets/default', { systemPrompt: CANARY, temperature: 0.5 });
    const shown = { before: { temperature: null }, after: { system_prompt: { changed: true }, temperature: 0.5 } };
    return { answer, shown: { actor: KEY, target: of('preset', 'default'), ...shown } };
  },
  'preset.delete': async ({ tenant }) => {
    await createPreset(tenant.key, { systemPrompt: CANARY });
    const answer = await tenant.key.delete('/api/presets/support');
    return {
      answer,
      shown: { actor: KEY, target: of('preset', 'support'), before: { context_messages: 20 }, after: null },
    };
  },
  'agent.add': async (ground) => {
    const { roomId } = await group(ground);
    const body = { preset: 'default', respond: 'mention', name: CANARY };
    const answer = await ground.tenant.as('alice').post(`/rooms/${roomId}/agents`, body);
    const shown = { before: null, after: { respond: 'mention' }, details: { agent: 'agent_default' } };
    return { answer, shown: { actor: ALICE, target: of('room', roomId), ...shown } };
  },
  'agent.remove': async (ground) => {
    const { roomId } = await group(ground);
    const alice = ground.tenant.as('alice');
    await alice.post(`/rooms/${roomId}/agents`, { preset: 'default', respond: 'mention', name: CANARY });
    const answer = await alice.delete(`/rooms/${roomId}/agents/agent_default`);
    const shown = { before: null, after: null, details: { agent: 'agent_default' } };
    return { answer, shown: { actor: ALICE, target: of('room', roomId), ...shown } };
  },
  'member.remove': async (ground) => {
    const { roomId } = await group(ground);
    const answer = await ground.tenant.as('alice').delete(`/rooms/${roomId}/members/bob`);
    return {
      answer,
      shown: { actor: ALICE, target: of('room', roomId, 'bob'), before: { role: 'member' }, after: null },
    };
  },
  'member.role': async (ground) => {
    const { roomId } = await group(ground);
    const { token } = await mintToken(ground.tenant.key, 'alice');
    const alice = bearer(ground.app.anonymous, token);
    const answer = await alice.patch(`/rooms/${roomId}/members/bob`, { role: 'admin' });
    const shown = { before: { role: 'member' }, after: { role: 'admin' } };
    return {
      answer,
      shown: { actor: { ...ALICE, key_name: 'first key' }, target: of('room', roomId, 'bob'), ...shown },
    };
  },
  'message.delete': async (ground) => {
    const { roomId, messageId } = await group(ground);
    const answer = await ground.tenant.as('alice').delete(`/rooms/${roomId}/messages/${messageId}`);
    const shown = { before: null, after: null, details: { room: roomId } };
    return { answer, shown: { actor: ALICE, target: of('message', messageId, 'bob'), ...shown } };
  },
  'room.delete': async (ground) => {
    const { roomId } = await group(ground);
    const answer = await ground.tenant.as('alice').delete(`/rooms/${roomId}`);
    return { answer, shown: { actor: ALICE, target: of('room', roomId), before: null, after: null } };
  },
  'room.retention': async (ground) => {
    const { roomId } = await group(ground);
    const path = `/admin/rooms/${roomId}?tenant_id=${ground.tenant.tenantId}`;
    const answer = await ground.app.master.patch(path, { retention_days: 30, legal_hold: false });
    const shown = { before: { retention_days: null }, after: { retention_days: 30 } };
    return { answer, shown: { actor: MASTER, target: of('room', roomId), ...shown } };
  },
  'user.erase': async (ground) => {
    await group(ground);
    const answer = await ground.tenant.key.post(at(ground, '/users/bob/erase'));
    return { answer, shown: { actor: KEY, target: of('user', null, 'bob'), before: null, after: null } };
  },
  'tenant.export': async (ground) => {
    const answer = await ground.app.master.post<Bodies['ExportDto']>(exportPath(ground.tenant));
    return { answer, shown: { actor: MASTER, target: of('export', answer.body.export_id), details: null } };
  },
  'tenant.export_file': async (ground) => {
    const { export_id } = await readyExport(ground.tenant.key, ground.tenant);
    const answer = await ground.tenant.key.get(exportPath(ground.tenant, undefined, `/${export_id}/file`));
    return { answer, shown: { actor: KEY, target: of('export', export_id), details: { asked: true } } };
  },
  'tenant.export_link': async (ground) => {
    const { export_id } = await readyExport(ground.tenant.key, ground.tenant);
    const answer = await ground.app.master.post(exportPath(ground.tenant, undefined, `/${export_id}/link`));
    return { answer, shown: { actor: MASTER, target: of('export', export_id), details: null } };
  },
  'user.export': async (ground) => {
    await group(ground);
    const answer = await ground.tenant.key.post<Bodies['ExportDto']>(exportPath(ground.tenant, 'bob'));
    return { answer, shown: { actor: KEY, target: of('export', answer.body.export_id, 'bob') } };
  },
  'user.export_file': async (ground) => {
    await group(ground);
    const { export_id } = await readyExport(ground.tenant.key, ground.tenant, 'bob');
    const answer = await ground.app.master.get(exportPath(ground.tenant, 'bob', `/${export_id}/file`));
    return { answer, shown: { actor: MASTER, target: of('export', export_id, 'bob'), details: { asked: true } } };
  },
  'user.export_link': async (ground) => {
    await group(ground);
    const { export_id } = await readyExport(ground.tenant.key, ground.tenant, 'bob');
    const answer = await ground.tenant.key.post(exportPath(ground.tenant, 'bob', `/${export_id}/link`));
    return { answer, shown: { actor: KEY, target: of('export', export_id, 'bob') } };
  },
  'user.hold': async (ground) => {
    await group(ground);
    const answer = await ground.tenant.key.patch('/admin/users/bob', { legal_hold: true });
    const shown = { before: { legal_hold: false }, after: { legal_hold: true } };
    return { answer, shown: { actor: KEY, target: of('user', null, 'bob'), ...shown } };
  },
  'room.read_content': async (ground) => {
    const { roomId } = await group(ground);
    const answer = await ground.app.master.get(
      `/admin/rooms/${roomId}?content=true&tenant_id=${ground.tenant.tenantId}`,
    );
    return { answer, shown: { actor: MASTER, target: of('room', roomId), before: null, after: null, details: null } };
  },
  'user.read_content': async (ground) => {
    await group(ground);
    const answer = await ground.tenant.key.get('/admin/users/bob?content=true');
    return { answer, shown: { actor: KEY, target: of('user', null, 'bob'), before: null, after: null, details: null } };
  },
};
