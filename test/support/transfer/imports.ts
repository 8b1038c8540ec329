import type { TestTenant } from '../app';
import type { Answer, Api, Bodies } from '../http/api';
import { until } from '../poll';
import { bodyOf } from '../rooms';

export type ImportBody = Bodies['ImportDto'];

type TenantRef = Pick<TestTenant, 'tenantId'>;

export function importPath({ tenantId }: TenantRef, importId: string): string {
  return `/admin/tenants/${tenantId}/imports/${importId}`;
}

export function sendPart(
  master: Api,
  tenant: TenantRef,
  importId: string,
  part: number,
  bytes: Buffer,
): Promise<Answer<Bodies['ImportPartDto']>> {
  const headers = { 'content-type': 'application/octet-stream' };
  return master.call('PUT', `${importPath(tenant, importId)}/file?part=${part}`, undefined, { raw: bytes, headers });
}

/** An import whose file, where there is one, has been sent as one part. */
export async function createImport(
  master: Api,
  tenant: TenantRef,
  file?: Buffer,
  source: ImportBody['source'] = 'chatapi',
): Promise<ImportBody> {
  const made = bodyOf(await master.post<ImportBody>(`/admin/tenants/${tenant.tenantId}/imports`, { source }), 201);
  if (file !== undefined) bodyOf(await sendPart(master, tenant, made.import_id, 1, file));
  return made;
}

/** Waits until an import is in one of these states. */
export async function importIn(
  master: Api,
  tenant: TenantRef,
  importId: string,
  states: readonly ImportBody['state'][],
  mostMs?: number,
): Promise<ImportBody> {
  return until(
    async () => bodyOf(await master.get<ImportBody>(importPath(tenant, importId))),
    ({ state }) => states.includes(state),
    mostMs,
  );
}

/** An import that was looked at: `valid` or `invalid`. */
export async function lookedAtImport(
  master: Api,
  tenant: TenantRef,
  file: Buffer,
  source?: ImportBody['source'],
): Promise<ImportBody> {
  const { import_id } = await createImport(master, tenant, file, source);
  bodyOf(await master.post(`${importPath(tenant, import_id)}/validate`), 202);
  return importIn(master, tenant, import_id, ['valid', 'invalid', 'failed']);
}

/** One that may be started; throws where it has faults. */
export async function validImport(
  master: Api,
  tenant: TenantRef,
  file: Buffer,
  source?: ImportBody['source'],
): Promise<ImportBody> {
  const found = await lookedAtImport(master, tenant, file, source);
  if (found.state !== 'valid') throw new Error(`the file has faults: ${JSON.stringify(found.faults.slice(0, 5))}`);
  return found;
}

/** Imports a file; throws where it does not come to its end. */
export async function doneImport(
  master: Api,
  tenant: TenantRef,
  file: Buffer,
  source?: ImportBody['source'],
): Promise<ImportBody> {
  const { import_id } = await validImport(master, tenant, file, source);
  bodyOf(await master.post(`${importPath(tenant, import_id)}/start`), 202);
  const ended = await importIn(master, tenant, import_id, ['done', 'failed']);
  if (ended.state !== 'done') throw new Error(`the import failed: ${String(ended.error)}`);
  return ended;
}
