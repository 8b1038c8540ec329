import * as fc from 'fast-check';
import { isThorough, runs } from '../../../test/support/timing';
import { RecordingConnection } from '../../../test/support/realtime/recording-connection';
import { settled, type ProtocolFixture, startProtocol } from '../../../test/support/realtime/protocol-fixture';
import { TestGateway } from '../../../test/support/realtime/test-gateway';

const FRAMES = isThorough ? 100_000 : 25_000;
/** As many as a connection may send in a second. */
const PER_RUN = 100;
const MUTANTS = 4;
const TYPES = ['ack', 'read', 'ping', 'subscribe', 'message.stream.start', '', '__proto__', 'toString'];
const NAMES = ['type', 'request_id', 'data', 'room_id', 'seq', 'content', 'meta', '__proto__', 'constructor'];

/** An object that looks like a frame, with anything at all in its fields. */
const frameLike = fc.dictionary(
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.string() }),
  fc.oneof(
    fc.constantFrom<unknown>(...TYPES, 0, -1, null, {}, [], true, '\0', '\ud800', 'x'.repeat(65)),
    fc.jsonValue({ maxDepth: 40 }),
    fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue()),
  ),
);
const valid = fc.constantFrom(
  '{"type":"ack","room_id":"r","seq":1,"request_id":"q"}',
  '{"type":"ping","data":{"request_id":"q"}}',
  '{"type":"ack","room_id":"r","seq":1e400}',
  '{"type":"subscribe","data":{"room_id":"r"}}',
);
const source = fc.oneof(
  frameLike.map((frame) => Buffer.from(JSON.stringify(frame))),
  frameLike.map((frame) => Buffer.from(JSON.stringify({ type: 'ack', ...frame }))),
  valid.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
);
type Change = readonly [at: number, byte: number, how: number];
const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(2));
const changes = fc.array(change, { minLength: 1, maxLength: 4 });
/** A message, and mutants of it: making one anew costs more than handling it. */
const family = fc
  .tuple(source, fc.array(changes, { minLength: MUTANTS, maxLength: MUTANTS }))
  .map(([message, each]) => [message, ...each.map((some) => mutated(message, some))]);

/** The same bytes with some of them changed, dropped or added. */
function mutated(message: Buffer, some: readonly Change[]): Buffer {
  const bytes = [...message];
  for (const [at, byte, how] of some)
    bytes.splice(at % (bytes.length + 1), how === 1 ? 0 : 1, ...(how === 2 ? [] : [byte]));
  return Buffer.from(bytes);
}

const FAMILIES = PER_RUN / (1 + MUTANTS);
const families = fc.array(family, { minLength: FAMILIES, maxLength: FAMILIES });

describe('whatever a client sends', () => {
  let harness: ProtocolFixture;

  beforeAll(async () => {
    harness = await startProtocol(TestGateway);
  });

  it(`is answered exactly once and never thrown, ${FRAMES} times`, async () => {
    const connection = new RecordingConnection();
    await fc.assert(
      fc.asyncProperty(families, async (nested) => {
        const messages = nested.flat();
        // Another second: the rates are not what is tried here.
        harness.clock.advance(1000);
        for (const data of messages) harness.dispatcher.message(harness.endpoint, connection, data, false);
        await settled();
        const answers = connection.take();
        expect(answers).toHaveLength(messages.length);
        for (const answer of answers)
          if (answer.type === 'error')
            expect(answer).toMatchObject({
              code: expect.any(String),
              message: expect.any(String),
              retryable: expect.any(Boolean),
            });
          else expect(['ack.received', 'pong', 'subscribed']).toContain(answer.type);
        expect(connection.isOpen && !connection.paused).toBe(true);
      }),
      { numRuns: runs(FRAMES / PER_RUN) },
    );
  });
});
