import { measureSpeed, runs } from './timing';

describe('S34: as much as the machine can do', () => {
  const before = { ...process.env };
  afterEach(() => (process.env = { ...before }));

  it.each([
    ['a machine as fast as the one that the numbers were chosen on', '1', 1000],
    ['a faster one', '2.5', 1000],
    ['one of a fifth', '0.2', 200],
    ['the slowest', '0.01', 100],
  ])('%s', (_, pace, expected) => {
    delete process.env['TEST_EFFORT'];
    process.env['TEST_PACE'] = pace;
    expect(runs(1000)).toBe(expected);
    expect(runs(1)).toBe(1);
  });

  it('tries all of them where it is told to', () => {
    Object.assign(process.env, { TEST_PACE: '1', TEST_EFFORT: 'least' });
    expect(runs(100)).toBe(10);
    Object.assign(process.env, { TEST_PACE: '0.01', TEST_EFFORT: 'full' });
    expect(runs(1000)).toBe(1000);
  });

  it('is measured by work that is done', () => expect(measureSpeed()).toBeGreaterThan(0));
});
