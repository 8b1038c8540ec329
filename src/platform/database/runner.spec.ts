import { beginFor, Statements } from './runner';

const mayWrite = (text: string): boolean => new Statements().of(text).mayWrite;

describe('a statement surely writes nothing', () => {
  it.each([
    'SELECT room_id FROM rooms WHERE tenant_id = $1',
    '\n  WITH page AS (SELECT 1 FROM rooms) SELECT * FROM page JOIN users u ON true',
    'SELECT m.role FROM unnest($1::uuid[]) r(id) JOIN room_members m ON m.room_id = r.id',
    'SELECT updated_at, deleted_at FROM rooms',
    'SELECT r.name, m.seq FROM rooms r LEFT JOIN LATERAL (SELECT seq FROM messages) m ON true',
  ])('%s', (text) => {
    expect(mayWrite(text)).toBe(false);
    expect(beginFor(new Statements().of(text))).toBe('BEGIN READ ONLY');
  });
});

describe('a statement may write', () => {
  it.each([
    'UPDATE rooms SET name = $1',
    'INSERT INTO rooms VALUES ($1)',
    'SELECT room_create($1, $2) AS result',
    'SELECT item, status FROM append_messages($1, $2)',
    'SELECT r.id FROM rooms r CROSS JOIN LATERAL append_messages(r.id)',
    'SELECT r.id FROM rooms r JOIN LATERAL (SELECT 1) x ON true JOIN append_messages (r.id) ON true',
    'WITH gone AS (DELETE FROM jobs RETURNING 1) SELECT count(*) FROM gone',
    'SELECT room_id FROM rooms FOR UPDATE',
    'SELECT room_id FROM rooms FOR SHARE',
    `SELECT set_config('role', $1, true)`,
    'SELECT 1',
  ])('%s', (text) => {
    expect(mayWrite(text)).toBe(true);
    expect(beginFor(new Statements().of(text))).toBe('BEGIN');
  });
});

it('one text has one name', () => {
  const statements = new Statements();
  const names = ['SELECT 1', 'SELECT 2', 'SELECT 1'].map((text) => statements.of(text).name);
  expect(names[0]).toBe(names[2]);
  expect(names[0]).not.toBe(names[1]);
});
