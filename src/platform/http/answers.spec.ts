import type { FastifyRequest } from 'fastify';
import { AlwaysEnveloped, formatOf, JsonText, NeverEnveloped, wrapped } from './answers';

class AsAsked {
  read(): void {}
}

@AlwaysEnveloped()
class Always {
  read(): void {}

  @NeverEnveloped()
  clear(): void {}
}

type Asked = 'envelope' | 'bare' | undefined;

function requestOf(controller: typeof AsAsked, method: string, asked: Asked, setting?: string): FastifyRequest {
  const handler = (controller.prototype as unknown as Record<string, object>)[method];
  return {
    headers: asked === undefined ? {} : { 'x-response-format': asked },
    routeOptions: { config: { access: { access: 'user', secretAnswer: false, controller, handler } } },
    caller: { tenant: { settings: { response_format: setting } } },
  } as unknown as FastifyRequest;
}

describe('the envelope', () => {
  const DATA = { id: 1 };
  const full = { success: true, data: DATA, error: null };
  const short = { success: true, data: DATA };

  it.each<[string, Asked, string | undefined, object]>([
    ['nothing said', undefined, undefined, DATA],
    ['the header', 'envelope', undefined, full],
    ["the tenant's setting", undefined, 'envelope', full],
    ['the header against the setting', 'bare', 'envelope', DATA],
  ])('is what the caller asks for: %s', (_, asked, setting, expected) => {
    expect(wrapped(requestOf(AsAsked, 'read', asked, setting), DATA)).toEqual(expected);
  });

  it('is always there where the controller says so, and has an error when it is asked for', () => {
    for (const asked of [undefined, 'bare'] as const)
      expect(wrapped(requestOf(Always, 'read', asked), DATA)).toEqual(short);
    expect(wrapped(requestOf(Always, 'read', 'envelope'), DATA)).toEqual(full);
    expect(wrapped(requestOf(Always, 'read', undefined, 'envelope'), DATA)).toEqual(full);
  });

  it('is never there where the method says so', () => {
    for (const asked of [undefined, 'bare', 'envelope'] as const)
      expect(wrapped(requestOf(Always, 'clear', asked, 'envelope'), DATA)).toBe(DATA);
  });

  it('is written around JSON text as around the value that it stands for', () => {
    const text = JSON.stringify(DATA);
    for (const [controller, method] of [
      [AsAsked, 'read'],
      [Always, 'read'],
      [Always, 'clear'],
    ] as const)
      for (const asked of [undefined, 'bare', 'envelope'] as const)
        for (const setting of [undefined, 'envelope']) {
          const request = requestOf(controller, method, asked, setting);
          expect(wrapped(request, new JsonText(text))).toEqual(new JsonText(JSON.stringify(wrapped(request, DATA))));
        }
    const formats = (['bare', 'envelope'] as const).map((asked) => formatOf(requestOf(Always, 'read', asked)));
    expect(formats).toEqual(['data', 'envelope']);
  });

  it('is not put around what no route of ours answers', () => {
    const bare = { headers: {}, routeOptions: { config: {} } } as unknown as FastifyRequest;
    expect(wrapped(bare, DATA)).toBe(DATA);
  });
});
