import { explorerOf } from '../../../test/support/providers';
import type { AcceptedConnection } from './connection';
import { ServesEndpoint, OnConnection } from './endpoint';
import { SocketEndpoints } from './endpoints';

const called: string[] = [];

function handler(name: string, after: readonly string[] = [], path = '/ws'): object {
  class Handler {
    @OnConnection(path, name, { after })
    opened(): void {
      called.push(name);
    }
  }
  return new Handler();
}

function boot(...providers: readonly object[]): SocketEndpoints {
  const endpoints = new SocketEndpoints(explorerOf(...providers));
  endpoints.onModuleInit();
  return endpoints;
}

beforeEach(() => called.splice(0));

describe('who is told of connections', () => {
  it('is told after those that it names, else in the order of the names', async () => {
    const endpoints = boot(handler('late', ['b', 'z']), handler('z', ['b']), handler('b'), handler('a', ['late']));
    for (const opened of endpoints.openedOf('/ws')) await opened({} as AcceptedConnection);
    expect(called).toEqual(['b', 'z', 'late', 'a']);
    expect(endpoints.openedOf('/ws/chat')).toEqual([]);
  });

  it.each<[string, readonly object[], string]>([
    ['comes after one that is not there', [handler('a', ['b'])], 'At /ws a comes after b, which is not there'],
    [
      'comes after one that comes after it',
      [handler('a', ['b']), handler('b', ['a']), handler('c')],
      'At /ws each comes after another: a, b',
    ],
    ['comes after itself', [handler('a', ['a'])], 'At /ws each comes after another: a'],
    ['has the name of another', [handler('a'), handler('a')], 'Two handlers of connections of /ws are called a'],
    [
      'names a path that is no endpoint',
      [handler('a', [], '/elsewhere')],
      'Handler: no sockets are taken at /elsewhere',
    ],
  ])('who %s stops the boot', (_, providers, message) => {
    expect(() => boot(...providers)).toThrow(message);
  });
});

it('two endpoints have two paths', () => {
  const endpoint = new SocketEndpoints(explorerOf()).standard;
  const Second = class {};
  ServesEndpoint()(Second as unknown as Parameters<ReturnType<typeof ServesEndpoint>>[0]);
  expect(() => boot(Object.assign(new Second(), endpoint))).toThrow('/ws takes sockets already');
});
