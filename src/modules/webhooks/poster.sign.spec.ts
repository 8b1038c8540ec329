import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from './poster';

const [FIRST, SECOND] = [1, 2].map((n) => `whsec_${Buffer.alloc(32, n).toString('base64')}`) as [string, string];
const BODY = '{"type":"test","data":{"text":"Grüße 👋"}}';

describe('signatures', () => {
  const headers = (secrets: readonly string[], at = new Date()): Record<string, string> => ({
    ...signatureHeaders('wh_1', BODY, secrets, at),
  });

  it('are what an independent library accepts', () => {
    expect(new Webhook(FIRST).verify(BODY, headers([FIRST]))).toMatchObject({ type: 'test' });
  });

  it('hold for either secret while they rotate, and for no other', () => {
    for (const secret of [FIRST, SECOND]) new Webhook(secret).verify(BODY, headers([SECOND, FIRST]));
    expect(() => new Webhook(FIRST).verify(BODY, headers([SECOND]))).toThrow();
  });

  it('cover id, time and body', () => {
    const good = headers([FIRST]);
    const hook = new Webhook(FIRST);
    const earlier = String(Number(good['webhook-timestamp']) - 1);
    expect(() => hook.verify(`${BODY} `, good)).toThrow();
    expect(() => hook.verify(BODY, { ...good, 'webhook-id': 'wh_2' })).toThrow();
    expect(() => hook.verify(BODY, { ...good, 'webhook-timestamp': earlier })).toThrow();
    expect(() => hook.verify(BODY, headers([FIRST], new Date(Date.now() - 3_600_000)))).toThrow();
  });
});
