import type { FastifyReply } from 'fastify';
import { formatOf, JsonText } from './answers';
import { namesTag, tagged } from './conditional';

const TAG = '"abc"';

describe('If-None-Match', () => {
  it.each<[string, boolean]>([
    [TAG, true],
    [`W/${TAG}`, true],
    [`  ${TAG}\t`, true],
    [`"x", ${TAG}`, true],
    [`"x",${TAG},"y"`, true],
    [`"x" , W/"y",\t W/${TAG}`, true],
    [`"with,comma",${TAG}`, true],
    [`"with blank",${TAG}`, false],
    [`,, ${TAG} ,`, true],
    [`"ä", ${TAG}`, true],
    ['*', true],
    [' * ', true],
    ['', false],
    [',', false],
    ['"x"', false],
    ['abc', false],
    ['"abc', false],
    ['abc"', false],
    ["'abc'", false],
    ['"ABC"', false],
    ['"a bc"', false],
    [`w/${TAG}`, false],
    [`W/ ${TAG}`, false],
    [`W${TAG}`, false],
    ['"W/abc"', false],
    // Not a list of tags: nobody can say what was meant.
    [`${TAG} "x"`, false],
    [`${TAG}${TAG}`, false],
    [`*, ${TAG}`, false],
    [`${TAG}, *`, false],
    [`x, ${TAG}`, false],
    [`${TAG}, "open`, false],
  ])('%j: %p', (header, expected) => {
    expect(namesTag(header, TAG)).toBe(expected);
  });

  it('that is not there names nothing', () => {
    expect(namesTag(undefined, TAG)).toBe(false);
  });

  it('is read in time that grows with its length', () => {
    const long = `${' '.repeat(8000)}${',\t'.repeat(4000)}"`;
    expect(namesTag(long, TAG)).toBe(false);
    expect(namesTag(`${long.slice(0, -1)}${TAG}`, TAG)).toBe(true);
  });
});

describe('a tagged answer', () => {
  function answer(facts: readonly (string | number | boolean)[], asked: Record<string, string> = {}, method = 'GET') {
    const headers: Record<string, unknown> = {};
    let status = 200;
    const route = { access: 'user', secretAnswer: false, controller: Object, handler: Object };
    const request = { method, headers: asked, routeOptions: { config: { access: route } }, caller: {} };
    const reply = {
      request,
      header: (name: string, value: unknown) => {
        headers[name] = value;
        return reply;
      },
      headers: (more: object) => {
        Object.assign(headers, more);
        return reply;
      },
      status: (code: number) => {
        status = code;
        return reply;
      },
    } as unknown as FastifyReply;
    let built = 0;
    const body = tagged(reply, facts, () => `[${++built}]`);
    return { body, status, headers, built, tag: String(headers['etag']), format: formatOf(reply.request) };
  }

  it('has the headers of ruling 12, and a strong tag', () => {
    const { body, status, headers } = answer([1, 'a', true]);
    expect([status, body]).toEqual([200, new JsonText('[1]')]);
    expect(headers).toEqual({
      etag: expect.stringMatching(/^"[\w-]{22}"$/) as string,
      'cache-control': 'private, no-cache',
      vary: 'Authorization, X-API-Key, X-User-Id, X-Response-Format, Origin',
    });
  });

  it('has one tag for the same facts, and another one for others and for another format', () => {
    expect(answer([1, 23]).tag).toBe(answer([1, 23]).tag);
    const others = [answer([12, 3]), answer([1, 23, true]), answer([1, 23], { 'x-response-format': 'envelope' })];
    expect(new Set([answer([1, 23]), ...others].map(({ tag }) => tag)).size).toBe(4);
  });

  it('is a 304 with the same headers for who has it, and nothing is built', () => {
    const first = answer([1]);
    const again = answer([1], { 'if-none-match': first.tag });
    expect(again).toMatchObject({ status: 304, body: undefined, built: 0, headers: first.headers });
    expect(answer([2], { 'if-none-match': first.tag })).toMatchObject({ status: 200, built: 1 });
  });

  it('gives a HEAD what its length is measured by', () => {
    const asked = { 'if-none-match': answer([1]).tag };
    expect(answer([1], asked, 'HEAD')).toMatchObject({ status: 304, body: new JsonText('[1]') });
  });
});
