import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { TestApp, TestTenant } from '../app';
import type { Bodies } from '../http/api';
import { until } from '../poll';
import { bodyOf } from '../rooms';
import { MAX_WAIT_MS } from '../timing';

/** A post whose signature was good. */
export interface Received {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Answerer = (response: ServerResponse, received: Received, n: number) => void;

const OK: Answerer = (response) => void response.writeHead(204).end();

/** A receiver as a customer would write it: it verifies every post with an independent library. */
export class Receiver {
  readonly received: Received[] = [];
  /** Posts whose signature was not good; a test that expects none looks here. */
  readonly refused: string[] = [];
  secret = '';
  /** How it answers; default 204. `n` counts the posts with this id. */
  answer: Answerer = OK;

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => void receiver.take(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  of(type: string): Received[] {
    return this.received.filter((each) => each.type === type);
  }

  /** Those of a type, once there are so many. */
  whenReceived(type: string, n = 1, ms = MAX_WAIT_MS): Promise<Received[]> {
    return until(
      () => Promise.resolve(this.of(type)),
      (found) => found.length >= n,
      ms,
    );
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks).toString();
    const id = String(request.headers['webhook-id']);
    try {
      new Webhook(this.secret).verify(body, request.headers as Record<string, string>);
    } catch (error) {
      this.refused.push(String(error));
      response.writeHead(401).end();
      return;
    }
    const received = { id, ...(JSON.parse(body) as Omit<Received, 'id'>) };
    this.received.push(received);
    this.answer(response, received, this.received.filter((each) => each.id === id).length);
  }
}

export type DeliveryBody = Bodies['WebhookDeliveryDto'];

/** One server of the tests, or several. */
type Served = Pick<TestApp, 'master' | 'tenant'>;

/** A new tenant whose webhook leads to the receiver. */
export async function hookedTenant(
  app: Served,
  receiver: Receiver,
  events?: readonly string[],
  url = receiver.url,
): Promise<TestTenant> {
  const tenant = await app.tenant();
  receiver.secret = await setWebhook(app, tenant, { url, ...(events === undefined ? {} : { events }) });
  return tenant;
}

/** Resolves when no webhook of the tenant is due or on its way: none comes but by what happens later. */
export async function untilNothingIsPlanned(tenant: TestTenant): Promise<void> {
  await until(
    async () => bodyOf(await tenant.key.get<Bodies['JobsDto']>('/admin/jobs')).kinds,
    (kinds) => kinds.every(({ kind, queued, running }) => !kind.startsWith('webhook.') || queued + running === 0),
  );
}

/** Sets the webhook of a tenant; its secret, when the URL is a new one. */
export async function setWebhook(
  app: Pick<Served, 'master'>,
  tenant: TestTenant,
  webhook: object | null,
): Promise<string> {
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
