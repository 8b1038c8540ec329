import type { TestApp, TestTenant } from '../app';
import type { Bodies } from '../http/api';
import { bodyOf } from '../rooms';
import type { Receiver } from './receiver';

export type DeliveryBody = Bodies['WebhookDeliveryDto'];

/** A new tenant whose webhook leads to the receiver. */
export async function hookedTenant(
  app: TestApp,
  receiver: Receiver,
  events?: readonly string[],
  url = receiver.url,
): Promise<TestTenant> {
  const tenant = await app.tenant();
  receiver.secret = await setWebhook(app, tenant, { url, ...(events === undefined ? {} : { events }) });
  return tenant;
}

/** Sets the webhook of a tenant; its secret, when the URL is a new one. */
export async function setWebhook(app: TestApp, tenant: TestTenant, webhook: object | null): Promise<string> {
  const answer = await app.master.patch<{ webhook_secret?: string }>(`/admin/tenants/${tenant.tenantId}`, {
    settings: { webhook },
  });
  return bodyOf(answer).webhook_secret ?? '';
}

export async function deliveriesOf(app: TestApp, tenant: TestTenant): Promise<readonly DeliveryBody[]> {
  const path = `/admin/tenants/${tenant.tenantId}/webhook/deliveries?limit=100`;
  return bodyOf(await app.master.get<Bodies['WebhookDeliveryPageDto']>(path)).deliveries;
}

/** What the test button says. */
export async function testWebhook(app: TestApp, tenant: TestTenant): Promise<DeliveryBody> {
  return bodyOf(await app.master.post<DeliveryBody>(`/admin/tenants/${tenant.tenantId}/webhook/test`, {}));
}
