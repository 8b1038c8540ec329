import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLOSE_CODES } from '../../../src/realtime/protocol/asyncapi/connection';
import { documentedFrames } from './asyncapi';

const E2E = join(__dirname, '..', '..', 'e2e');
/** For clients behind a proxy that says so; the server itself goes with 1012. */
const NEVER_SENT = 1001;

/**
 * That a frame or a close code stands in an end-to-end test does not show that it is tested well, but one that stands in
 * none is not tested.
 */
describe('the end-to-end tests of sockets name', () => {
  const tests = readdirSync(E2E)
    .filter((file) => /\.e2e-spec\.ts$/.test(file))
    .map((file) => readFileSync(join(E2E, file), 'utf8'))
    .join('\n');

  it.each([
    ['client', 'socket'],
    ['server', 'socket'],
    ['client', 'chat'],
    ['server', 'chat'],
  ] as const)('every documented frame of the %s of the %s', (direction, channel) => {
    const isNamed = (type: string): boolean => tests.includes(`'${type}'`);
    expect(documentedFrames(direction, channel).filter((type) => !isNamed(type))).toEqual([]);
  });

  it('every code with which the server closes', () => {
    const codes = CLOSE_CODES.map(([code]) => code).filter((code) => code !== NEVER_SENT);
    expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests))).toEqual([]);
  });
});
