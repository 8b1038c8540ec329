import { explorerOf } from '../../../test/support/providers';
import { type AppendLevels, type DatabaseLevels, Stat, Stats } from '.';

class Parts {
  @Stat('append')
  append(tenantId?: string): AppendLevels {
    return { items: tenantId === undefined ? 7 : 1, bytes: 0, oldestMs: 0 };
  }

  @Stat('connected')
  connected(): readonly string[] {
    return ['a'];
  }

  @Stat('connections')
  connections(): Readonly<Record<string, number>> {
    return { '/ws': 2 };
  }

  @Stat('database')
  database(): DatabaseLevels {
    return { isUp: true, inUse: 1, size: 8, waiting: 0 };
  }

  @Stat('queue_bytes')
  queueBytes(): number {
    return 3;
  }

  @Stat('rooms_live')
  rooms(): number {
    return 4;
  }

  @Stat('sse')
  sse(): number {
    return 5;
  }
}

class People {
  @Stat('online')
  count(): number {
    return 6;
  }
}

function statsOf(...providers: object[]): Stats {
  const stats = new Stats(explorerOf(...providers));
  stats.onModuleInit();
  return stats;
}

describe('@Stat', () => {
  it('is asked of all, or of one tenant', () => {
    const stats = statsOf(new Parts(), new People());
    expect(stats.level('online')).toBe(6);
    expect([stats.level('append').items, stats.level('append', 'a').items]).toEqual([7, 1]);
  });

  it('has one method for each name, or the server does not start', () => {
    expect(() => statsOf(new Parts())).toThrow('No method knows the level online');
    expect(() => statsOf(new Parts(), new People(), new People())).toThrow('Two methods know the level online');
  });

  it('does not compile for what is not known of a tenant, nor for another value', () => {
    const wrong = (): void => {
      const stats = statsOf(new Parts(), new People());
      // @ts-expect-error the database is all tenants'
      stats.level('database', 'a');
      // @ts-expect-error no such level
      stats.level('weather');
      class Wrong {
        // @ts-expect-error a text is no number
        @Stat('sse')
        sse(): string {
          return '';
        }
      }
      throw new Error(Wrong.name);
    };
    expect(wrong).toThrow();
  });
});
