import type { Api, Bodies } from './http/api';
import type { TestApp, TestTenant } from './app';

export type KeyBody = Bodies['KeyDto'];

export type NewKeyBody = Bodies['KeyCreatedDto'];

/** Where a tenant's keys are. */
export function keysPath(tenant: TestTenant): string {
  return `/admin/tenants/${tenant.tenantId}/keys`;
}

/** Creates a key of a tenant, as the master unless told otherwise. */
export async function createKey(
  app: Pick<TestApp, 'master'>,
  tenant: TestTenant,
  body: object = {},
  by: Api = app.master,
): Promise<NewKeyBody> {
  const answer = await by.post<NewKeyBody>(keysPath(tenant), { name: 'test', ...body });
  if (answer.status !== 201)
    throw new Error(`creating a key answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** The server as seen by whoever holds this key and acts as this user. */
export function withKey(app: TestApp, apiKey: string, userId = 'alice'): Api {
  return app.anonymous.with({ 'x-api-key': apiKey, 'x-user-id': userId });
}

/** All keys of a tenant, oldest first. */
export async function listKeys(app: TestApp, tenant: TestTenant): Promise<readonly KeyBody[]> {
  const { body } = await app.master.get<Bodies['KeyPageDto']>(keysPath(tenant));
  return body.keys;
}

/** `tenant_0190…` → the dashed UUID that the database has. */
export function uuidOf(id: string): string {
  return id.replace(/^[a-z]+_/, '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
