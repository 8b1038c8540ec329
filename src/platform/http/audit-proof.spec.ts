import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RecordingLog } from '../../../test/support/recording-log';
import { AuditTrail, Caller } from '../auth';
import { Metrics } from '../metrics';
import { AuditProof } from './audit-proof';

/** Does to the call what the handler of an audited route would do. */
type Handler = (caller: Caller) => number;

async function answerOf(handler: Handler, { isStrict = true, isAudited = true } = {}) {
  const log = new RecordingLog();
  const metrics = new Metrics(log);
  const fastify = new FastifyAdapter().getInstance();
  new AuditProof(log, metrics, isStrict).watch(fastify);
  const caller = new Caller('master', 'r', undefined, undefined, undefined, []);
  fastify.addHook('onRequest', (request, _reply, done) => {
    caller.audit = new AuditTrail(['key.revoke'], request);
    request.caller = caller;
    done();
  });
  fastify.delete('/key', isAudited ? { config: { audit: ['key.revoke'] } } : {}, (_request, reply) => {
    void reply.status(handler(caller)).send();
  });
  const { statusCode } = await fastify.inject({ method: 'DELETE', url: '/key' });
  await fastify.close();
  const text = await metrics.text();
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    status: statusCode,
    missing: count('chatapi_audit_missing_total'),
    rows: count('chatapi_audit_rows_total'),
    logged: JSON.stringify(log.lines).includes('an audited action left no row'),
  };
}

const trailOf = (caller: Caller): AuditTrail => caller.audit ?? new AuditTrail([], { ip: '' });
const NOTHING_MISSING = { missing: 0, logged: false };

describe('a call of an audited route', () => {
  it.each<[string, Handler, object]>([
    ['that left a row', (caller) => ((trailOf(caller).rows = 1), 204), { status: 204, rows: 1 }],
    ['that says it changed nothing', (caller) => ((trailOf(caller).isNothing = true), 200), { status: 200, rows: 0 }],
    ['that was answered from what is stored', (caller) => ((caller.replayed = true), 201), { status: 201, rows: 0 }],
    ['that was refused', () => 404, { status: 404, rows: 0 }],
  ])('%s is answered', async (_, handler, seen) => {
    expect(await answerOf(handler)).toEqual({ ...NOTHING_MISSING, ...seen });
  });

  it('that succeeds without a row is logged and counted, and fails in tests', async () => {
    expect(await answerOf(() => 204)).toEqual({ status: 500, missing: 1, rows: 0, logged: true });
    expect(await answerOf(() => 204, { isStrict: false })).toEqual({ status: 204, missing: 1, rows: 0, logged: true });
  });

  it('is none where the route declares nothing', async () => {
    expect(await answerOf(() => 204, { isAudited: false })).toEqual({ ...NOTHING_MISSING, status: 204, rows: 0 });
  });
});
