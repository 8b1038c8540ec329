import { ConnectionRates, type Verdict } from './inbound-queue';

/** `count` frames at once. */
function burst(rates: ConnectionRates, count: number, now: number, limit: number | null = 10): Verdict['kind'][] {
  return Array.from({ length: count }, () => rates.take('message', limit, now).kind);
}

describe('the rates of a connection', () => {
  it('pass as many as the limit in a second, and say when to come back', () => {
    const rates = new ConnectionRates();
    expect(burst(rates, 10, 0)).toEqual(Array(10).fill('pass'));
    expect(rates.take('message', 10, 400)).toEqual({ kind: 'refuse', retryAfterMs: 600 });
    expect(rates.take('message', 10, 999.5)).toEqual({ kind: 'refuse', retryAfterMs: 1 });
    expect(rates.take('message', 10, 1000).kind).toBe('pass');
  });

  it('count messages and other frames apart', () => {
    const rates = new ConnectionRates();
    burst(rates, 10, 0);
    expect(rates.take('other', 100, 0).kind).toBe('pass');
    expect(rates.take('message', 10, 0).kind).toBe('refuse');
  });

  it('know no limit (null), none at all (0), and one that changes', () => {
    const rates = new ConnectionRates();
    expect(burst(rates, 1000, 0, null)).not.toContain('refuse');
    expect(rates.take('message', 0, 0).kind).toBe('refuse');
    burst(rates, 10, 5000);
    expect(rates.take('message', 10, 5000).kind).toBe('refuse');
    expect(rates.take('message', 20, 5000).kind).toBe('pass');
  });

  it('end when a client goes on for 10 s', () => {
    const rates = new ConnectionRates();
    for (let second = 0; second < 10; second++) expect(burst(rates, 11, second * 1000).at(-1)).toBe('refuse');
    expect(burst(rates, 11, 10_000).at(-1)).toBe('end');
  });

  it('begin anew after two seconds without a refusal', () => {
    const rates = new ConnectionRates();
    for (let second = 0; second < 9; second++) burst(rates, 11, second * 1000);
    burst(rates, 10, 9000);
    burst(rates, 10, 10_000);
    for (let second = 11; second < 21; second++) expect(burst(rates, 11, second * 1000).at(-1)).toBe('refuse');
  });
});
