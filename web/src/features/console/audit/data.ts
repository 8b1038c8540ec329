import { type Api, bodyOf, type components, useApi } from '../../../api/client';
import type { paths } from '../../../api/api-types';
import { useTenant } from '../tenant';
import { type CursorList, PAGE_ROWS, useCursorList } from '../work/cursor';

export type Item = components['schemas']['AuditItemDto'];
export type Verified = components['schemas']['VerifiedAuditDto'];
type Page = components['schemas']['AuditPageDto'];
type Query = NonNullable<paths['/admin/audit']['get']['parameters']['query']>;
export type Action = NonNullable<Query['action']>;
export type Filter = Pick<Query, 'actor' | 'action' | 'target' | 'from' | 'to'>;

/** Whose log it is where no tenant is chosen: what is about none of them. */
const INSTALLATION = 'installation';

/** Whose audit log is looked at. */
export function useAudited(): string {
  const [tenantId] = useTenant();
  return tenantId ?? INSTALLATION;
}

export function useAudit(filter: Filter): CursorList<Item, Page> {
  const api = useApi();
  const of = useAudited();
  return useCursorList(['audit', of, filter], (cursor) => {
    const query = { ...filter, tenant_id: of, limit: PAGE_ROWS, ...(cursor !== undefined && { cursor }) };
    return bodyOf(api.GET('/admin/audit', { params: { query } }));
  });
}

/** What is known of the log so far. */
export interface Proof {
  readonly rows: number;
  readonly last: Verified;
}

/**
 * Proves the log from its first row to its end or the first fault.
 * @param onProof is told after each part
 */
export async function prove(api: Api, of: string, onProof: (proof: Proof) => void, signal: AbortSignal): Promise<void> {
  let rows = 0;
  let after: number | null = 0;
  while (after !== null) {
    const query = { tenant_id: of, after };
    const last: Verified = await bodyOf(api.GET('/admin/audit/verify', { params: { query }, signal }));
    rows += last.rows;
    onProof({ rows, last });
    after = last.holds ? last.next : null;
  }
}

/** Each action of the log, as the API names them. */
export const ACTIONS: Readonly<Record<Action, true>> = {
  'agent.add': true,
  'agent.remove': true,
  'channel.create': true,
  'channel.delete': true,
  'channel.update': true,
  'connection.close': true,
  'dead_letter.drop': true,
  'dead_letters.replay': true,
  'import.create': true,
  'import.start': true,
  'import.upload': true,
  'import.validate': true,
  'job.run': true,
  'key.create': true,
  'key.revoke': true,
  'key.rotate': true,
  'member.remove': true,
  'member.role': true,
  'message.delete': true,
  'preset.create': true,
  'preset.delete': true,
  'preset.update': true,
  'room.delete': true,
  'room.read_content': true,
  'room.retention': true,
  'tenant.create': true,
  'tenant.delete': true,
  'tenant.deleted': true,
  'tenant.export': true,
  'tenant.export_file': true,
  'tenant.export_link': true,
  'tenant.update': true,
  'user.erase': true,
  'user.export': true,
  'user.export_file': true,
  'user.export_link': true,
  'user.hold': true,
  'user.read_content': true,
  'webhook.rotate': true,
  'webhook.test': true,
};
