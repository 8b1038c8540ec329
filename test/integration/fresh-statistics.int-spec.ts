import { AppendFixture, messageTo } from '../support/append-model';

describe('statistics of a fresh log', () => {
  let bench: AppendFixture;

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());

  async function knownRows(): Promise<number> {
    const rows = await bench.database.sql<{ n: number }>(
      `SELECT reltuples::int AS n FROM pg_class WHERE oid = 'messages'::regclass`,
    );
    return rows[0]?.n ?? 0;
  }

  it('are renewed when the log has outgrown them, and left alone otherwise', async () => {
    const room = await bench.room();
    const commits = bench.groupCommit();
    await Promise.all(Array.from({ length: 200 }, () => commits.append(messageTo(room))));
    await bench.repository.analyze(200);
    expect(await knownRows()).toBe(200);
    await Promise.all(Array.from({ length: 100 }, () => commits.append(messageTo(room))));
    await bench.repository.analyze(300);
    expect(await knownRows()).toBe(200);
    await bench.repository.analyze(401);
    expect(await knownRows()).toBe(300);
  });
});
