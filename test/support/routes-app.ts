import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../src/app.module';
import { loadConfig } from '../../src/config';
import { CredentialVerifier, type KeyGrant, type TenantLimits, UserRefusals } from '../../src/platform/auth';
import { unopenedDatabase } from '../../src/platform/database';
import { HttpAdapter, installHttp } from '../../src/platform/http';
import { openAlone } from '../../src/platform/cluster';
import { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';
import { ChatWsAdapter } from '../../src/realtime';
import { Secrets } from '../../src/platform/secrets';

/** Nobody was erased. */
export const NOBODY_REFUSED: UserRefusals = {
  isRefused: () => false,
  recent: () => [],
  onRefused: () => undefined,
};

/** Takes a tenant's name as its key, for all scopes, and `master` as the master key. */
export class NamedKeys extends CredentialVerifier {
  constructor(private readonly limits: Readonly<Record<string, TenantLimits>>) {
    super();
  }

  verifyKey(name: string): KeyGrant | undefined {
    const limits = this.limits[name];
    if (limits === undefined) return undefined;
    const tenant = { tenantId: name, status: 'active', limits, settings: {} } as const;
    return { keyId: `key of ${name}`, scopes: ['chat', 'admin'], tenant };
  }

  verifyToken(): undefined {
    return undefined;
  }

  verifyTicket(): undefined {
    return undefined;
  }

  isMasterKey(key: string): boolean {
    return key === 'master';
  }

  isPlausible(): boolean {
    return true;
  }

  guessOf(): undefined {
    return undefined;
  }
}

export interface RoutesApp {
  readonly nest: NestFastifyApplication;
  /** Every route, HEAD and preflights left out. */
  readonly routes: readonly { readonly method: string; readonly url: string }[];
  close(): Promise<void>;
}

/**
 * The whole server up to its database, with further controllers: every hook, guard and pipe is the real one.
 * @param limits of the tenants that there are, by name
 */
export async function startRoutesApp(
  controllers: Type[],
  limits: Readonly<Record<string, TenantLimits>>,
): Promise<RoutesApp> {
  const log = new SilentLog();
  const config = loadConfig({});
  const lifecycle = new Lifecycle(log);
  const secrets = new Secrets('master', 'j'.repeat(32), '0'.repeat(64), undefined);
  const database = unopenedDatabase(log);
  const resources = { config, log, lifecycle, secrets };
  const module = await Test.createTestingModule({
    imports: [AppModule.register(resources, database, openAlone(log))],
    controllers,
  })
    .overrideProvider(CredentialVerifier)
    .useValue(new NamedKeys(limits))
    .overrideProvider(UserRefusals)
    .useValue(NOBODY_REFUSED)
    .compile();
  const nest = module.createNestApplication<NestFastifyApplication>(new HttpAdapter(config.http), {
    bodyParser: false,
  });
  nest.useWebSocketAdapter(new ChatWsAdapter(nest));
  const routes: { method: string; url: string }[] = [];
  const fastify = nest.getHttpAdapter().getInstance();
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (each !== 'HEAD' && each !== 'OPTIONS') routes.push({ method: each, url });
  });
  const close = async (): Promise<void> => {
    await nest.close();
    await lifecycle.stop('test over');
    database.availability.stop();
  };
  try {
    await installHttp(nest, []);
    await nest.init();
    await fastify.ready();
  } catch (error) {
    await close();
    throw error;
  }
  return { nest, routes, close };
}
