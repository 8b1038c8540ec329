import { Company } from './company';

describe('Company', () => {
  let now: number;
  let company: Company;
  const send = (...tenants: string[]): void => tenants.forEach((tenant) => company.note(tenant));

  beforeEach(() => {
    now = 5000;
    company = new Company(() => now);
  });

  it('is none for a tenant that sends alone, however much', () => {
    expect(company.isMixed).toBe(false);
    send('a', 'a', 'a');
    expect(company.isMixed).toBe(false);
  });

  it('is there as soon as a second one sends, and for a second after it', () => {
    send('a', 'b');
    expect(company.isMixed).toBe(true);
    send('a', 'a');
    now += 999;
    expect(company.isMixed).toBe(true);
    send('a');
    now += 1;
    expect(company.isMixed).toBe(false);
  });

  it('is there again when the other comes back', () => {
    send('a', 'b', 'a');
    now += 60_000;
    expect(company.isMixed).toBe(false);
    send('b');
    expect(company.isMixed).toBe(true);
  });
});
