import { Controller, type ExecutionContext, Get, Post } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import { Access, ApiKeyGuard, Authenticator, Caller, CredentialVerifier, UserRefusals } from '../../src/platform/auth';
import { AllErrorsFilter, ErrorSender } from '../../src/platform/http/answers';
import { Metrics } from '../../src/platform/metrics';
import { RecordingLog } from '../support/recording-log';
import { NamedKeys, NOBODY_REFUSED, type RoutesApp, startRoutesApp } from '../support/routes-app';

/** Longer than any test: no window ends within one. */
const DAY_MS = 86_400_000;
const ROOMS_LIMIT = 111_111;
const AI_LIMIT = 222_222;

@Controller('probe')
class ProbeController {
  static calls = 0;

  @Get('open')
  @Access('public')
  open(): object {
    return {};
  }

  @Get('ruled')
  @Access('tenant')
  ruled(): object {
    return { calls: ++ProbeController.calls };
  }

  @Get('unruled')
  unruled(): object {
    return { calls: ++ProbeController.calls };
  }

  @Get('skipped')
  @Access('tenant')
  @SkipThrottle()
  skipped(): object {
    return {};
  }

  @Get('twice')
  @Access('tenant')
  @Throttle({ default: { limit: 2, ttl: DAY_MS } })
  twice(): object {
    return {};
  }

  @Get('once')
  @Access('tenantOrMaster')
  @Throttle({ default: { limit: 1, ttl: DAY_MS } })
  once(): object {
    return {};
  }

  @Get('blocked')
  @Access('tenant')
  @Throttle({ default: { limit: 1, ttl: 1000, blockDuration: DAY_MS } })
  blocked(): object {
    return {};
  }
}

@SkipThrottle()
@Controller('skipping')
class SkippingController {
  @Get('skipped')
  @Access('tenant')
  skipped(): object {
    return {};
  }

  @Get('counted')
  @Access('tenant')
  @SkipThrottle({ default: false })
  counted(): object {
    return {};
  }
}

@Controller('admin/probe')
class UndeclaredController {
  @Post()
  @Access('admin')
  change(): object {
    return {};
  }
}

interface Seen {
  readonly status: number;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly code: string | undefined;
}

function asNumber(header: string | number | string[] | undefined): number | undefined {
  return header === undefined ? undefined : Number(header);
}

async function call(
  nest: NestFastifyApplication,
  url: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'POST' = 'GET',
): Promise<Seen> {
  const answer = await nest.inject({ method, url, headers });
  const body = answer.body === '' ? {} : answer.json<{ error?: { code?: string } | null }>();
  return {
    status: answer.statusCode,
    limit: asNumber(answer.headers['x-ratelimit-limit']),
    remaining: asNumber(answer.headers['x-ratelimit-remaining']),
    code: body.error?.code,
  };
}

describe('the guard of all routes', () => {
  let app: RoutesApp;
  beforeAll(async () => {
    app = await startRoutesApp([ProbeController], { acme: {} });
  });
  afterAll(() => app.close());

  it.each([
    ['/probe/open', {}, 200, undefined],
    ['/probe/ruled', { 'x-api-key': 'acme' }, 200, undefined],
    ['/probe/ruled', {}, 401, 'AUTHENTICATION_ERROR'],
    ['/probe/ruled', { 'x-api-key': 'nobody' }, 401, 'AUTHENTICATION_ERROR'],
    ['/probe/unruled', { 'x-api-key': 'acme' }, 401, 'AUTHENTICATION_ERROR'],
  ])('behind the gate, %s with %j is %i', async (url, headers, status, code) => {
    expect(await call(app.nest, url, headers)).toMatchObject({ status, code });
  });
});

describe('the boot', () => {
  it('is refused with a route of administrators that changes something and is not audited', async () => {
    await expect(startRoutesApp([UndeclaredController], {})).rejects.toThrow(
      'UndeclaredController.change changes something and is not audited',
    );
  });
});

describe('the guard without the gate', () => {
  const log = new RecordingLog();
  let nest: NestFastifyApplication;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      controllers: [ProbeController],
      providers: [
        { provide: CredentialVerifier, useValue: new NamedKeys({ acme: {} }) },
        { provide: UserRefusals, useValue: NOBODY_REFUSED },
        Authenticator,
        { provide: APP_GUARD, useClass: ApiKeyGuard },
      ],
    }).compile();
    nest = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    nest.useGlobalFilters(new AllErrorsFilter(new ErrorSender(log, new Metrics(log))));
    await nest.init();
  });
  afterAll(() => nest.close());

  it.each([
    ['/probe/ruled', {}],
    ['/probe/ruled', { 'x-api-key': 'acme' }],
    ['/probe/ruled', { 'x-master-key': 'master' }],
    ['/probe/unruled', { 'x-api-key': 'acme' }],
  ])('%s with %j is refused before its handler runs, and told to the operator', async (url, headers) => {
    const before = { calls: ProbeController.calls, lines: log.lines.length };
    const answer = await nest.inject({ method: 'GET', url, headers });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({
      success: false,
      error: { code: 'INTERNAL_ERROR', message: 'Internal server error', request_id: expect.any(String) },
    });
    expect(ProbeController.calls).toBe(before.calls);
    expect(JSON.stringify(log.lines.slice(before.lines))).toContain('a request came past the gate');
  });

  it('a public route is open: it has nothing to guard', async () => {
    expect(await call(nest, '/probe/open')).toMatchObject({ status: 200 });
  });
});

describe('the guard on other transports', () => {
  const guard = new ApiKeyGuard(new Authenticator(new NamedKeys({}), NOBODY_REFUSED));
  const context = (type: string, client: object): ExecutionContext => {
    const host = new ExecutionContextHost([client, {}], ProbeController, ProbeController.prototype.ruled);
    host.setType(type);
    return host;
  };
  const caller = new Caller('key', 'r', undefined, 'alice', undefined, []);

  it('a socket whose upgrade has settled its caller passes', () => {
    expect(guard.canActivate(context('ws', { caller }))).toBe(true);
  });

  it.each([
    ['ws', {}],
    ['ws', { caller: { kind: 'master' } }],
    ['rpc', { caller }],
    ['graphql', { caller }],
  ])('%s with %j does not', (type, client) => {
    expect(guard.canActivate(context(type, client))).toBe(false);
  });
});

describe("the throttler's decorators", () => {
  let app: RoutesApp;
  beforeAll(async () => {
    const none = { requests_per_second: 0, ai_requests_per_minute: 0 };
    const unlimited = { requests_per_second: null, ai_requests_per_minute: null };
    const many = { requests_per_second: ROOMS_LIMIT, ai_requests_per_minute: AI_LIMIT };
    app = await startRoutesApp([ProbeController, SkippingController], { none, unlimited, many, other: many });
  });
  afterAll(() => app.close());

  const as = (tenant: string, url: string, method: 'GET' | 'POST' = 'GET'): Promise<Seen> =>
    call(app.nest, url, { 'x-api-key': tenant, 'x-user-id': 'alice' }, method);

  it.each(['/probe/skipped', '/skipping/skipped'])('@SkipThrottle: %s is not counted', async (url) => {
    expect(await as('none', url)).toEqual({ status: 200, limit: undefined, remaining: undefined, code: undefined });
  });

  it('@SkipThrottle: a method may take back what its controller says', async () => {
    expect(await as('none', '/skipping/counted')).toMatchObject({ status: 429, limit: 0 });
    expect(await as('many', '/skipping/counted')).toMatchObject({ status: 200, limit: ROOMS_LIMIT });
  });

  it('without one, the limit is the tenant’s', async () => {
    expect(await as('none', '/probe/ruled')).toMatchObject({ status: 429, limit: 0, code: 'RATE_LIMIT_EXCEEDED' });
    expect(await as('many', '/probe/ruled')).toMatchObject({ status: 200, limit: ROOMS_LIMIT });
    expect(await as('unlimited', '/probe/ruled')).toMatchObject({ status: 200, limit: undefined });
  });

  it.each(['many', 'none', 'unlimited'])('@Throttle: the route’s limit counts, tenant %s', async (tenant) => {
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push(await as(tenant, '/probe/twice'));
    expect(seen).toEqual([
      { status: 200, limit: 2, remaining: 1, code: undefined },
      { status: 200, limit: 2, remaining: 0, code: undefined },
      { status: 429, limit: 2, remaining: 0, code: 'RATE_LIMIT_EXCEEDED' },
    ]);
  });

  it('@Throttle: a counter per route and tenant, and one for the master key', async () => {
    const master = (): Promise<Seen> => call(app.nest, '/probe/once', { 'x-master-key': 'master' });
    const seen = [];
    for (const ask of [() => as('many', '/probe/once'), () => as('other', '/probe/once'), master])
      seen.push([(await ask()).status, (await ask()).status]);
    expect(seen).toEqual(Array(3).fill([200, 429]));
  });

  it('@Throttle: a block that outlasts its window is no limit of ours', async () => {
    expect(await as('many', '/probe/blocked')).toMatchObject({ status: 500, code: 'INTERNAL_ERROR' });
  });

  it('@Throttle(AI_REQUESTS): all routes below /api and /v1, and no other one', async () => {
    const isTenants = (url: string): boolean => !/^\/(probe|skipping|health|metrics|favicon|admin|exports)/.test(url);
    const counted = new Set<string>();
    for (const { method, url } of app.routes.filter((route) => isTenants(route.url))) {
      // Refused for its query, after the limit is taken and before a handler needs the database.
      const path = `${url.replace(/:\w+/g, 'x')}?nonsense=1`;
      const answer = await app.nest.inject({
        method: method as 'GET',
        url: path,
        headers: { 'x-api-key': 'many', 'x-user-id': 'alice' },
      });
      const limit = asNumber(answer.headers['x-ratelimit-limit']);
      counted.add(`${/^\/(api|v1)\//.exec(url)?.[0] ?? 'others'} ${limit}`);
    }
    expect([...counted].sort()).toEqual([`/api/ ${AI_LIMIT}`, `/v1/ ${AI_LIMIT}`, `others ${ROOMS_LIMIT}`]);
  });
});
