import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderSchema } from '../../src/docs/schema-page';
import { createTestDatabase, type TestDatabase } from '../support/database';

const PAGE = join(__dirname, '..', '..', 'docs', 'schema.sql');

describe('docs/schema.sql', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is what a migrated database has: else run "npm run docs" and commit it', async () => {
    expect(await renderSchema(database.connection)).toBe(readFileSync(PAGE, 'utf8'));
  });

  it('shows each table with all that belongs to it, then each function', async () => {
    const sections = (await renderSchema(database.connection)).split(/\n\n(?=CREATE|-- Owned)/);
    const room = sections.find((text) => text.startsWith('CREATE TABLE public.rooms ('));
    for (const part of [
      '\n  room_id uuid NOT NULL,\n',
      'PRIMARY KEY',
      'CREATE INDEX',
      'CREATE TRIGGER',
      'CREATE POLICY',
      'GRANT',
    ])
      expect(room).toContain(part);
    const append = sections.find((text) => text.includes('FUNCTION public.append_messages('));
    expect(append).toMatch(/^-- Owned by chatapi_append\.\n/);
    expect(append).toMatch(/GRANT EXECUTE ON FUNCTION public\.append_messages\([^)]*\) TO "chatapi_system";$/);
    const first = sections.findIndex((text) => /^(?:-- Owned.*\n)?CREATE OR REPLACE FUNCTION/.test(text));
    expect(first).toBeGreaterThan(25);
    expect(sections.slice(first).filter((text) => text.startsWith('CREATE TABLE'))).toEqual([]);
  });
});
