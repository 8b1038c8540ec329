import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloseCode } from '../../../src/platform/realtime/transport';
import { documentedFrames } from './asyncapi';

const E2E = join(__dirname, '..', '..', 'e2e');
/** Of RFC 6455; ws itself closes with these. */
const VIOLATIONS = [1002, 1007, 1009];

/**
 * That a frame or a close code stands in an end-to-end test does not show that it is tested well, but one that stands in
 * none is not tested.
 */
describe('the end-to-end tests of sockets name', () => {
  const tests = readdirSync(E2E)
    .filter((file) => /^ws-.*\.e2e-spec\.ts$/.test(file))
    .map((file) => readFileSync(join(E2E, file), 'utf8'))
    .join('\n');

  it.each(['client', 'server'] as const)('every documented frame of the %s', (direction) => {
    const isNamed = (type: string): boolean => tests.includes(`'${type}'`);
    expect(documentedFrames(direction).filter((type) => !isNamed(type))).toEqual([]);
  });

  it('every code with which the server closes', () => {
    const codes = [...Object.values(CloseCode), ...VIOLATIONS];
    expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(tests))).toEqual([]);
  });
});
