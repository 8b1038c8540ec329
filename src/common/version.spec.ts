import { compareVersions, VERSION } from './version';

describe('compareVersions', () => {
  it('follows Semantic Versioning', () => {
    // From the specification, oldest first.
    const ordered = [
      ...['0.9.10', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'],
      ...['1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0-0', '2.0.0-0.x-y', '2.0.0'],
    ];
    for (const [i, a] of ordered.entries())
      for (const [j, b] of ordered.entries())
        expect([a, b, Math.sign(compareVersions(a, b))]).toEqual([a, b, Math.sign(i - j)]);
  });

  it('does not look at what a build adds', () => {
    expect(compareVersions('1.0.0+a', '1.0.0+b')).toBe(0);
    expect(compareVersions('1.0.0-rc.1+a', '1.0.0')).toBeLessThan(0);
  });

  it('knows the release that runs', () => {
    expect(compareVersions(VERSION, '0.0.0')).toBeGreaterThan(0);
  });
});
