import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { roleNames } from '../roles';
import { CHANGED_FUNCTIONS, DEAD_LETTER_FUNCTIONS } from './0007/dead-letters';
import { DEAD_LETTERS_TABLE, deadLettersSecurity } from './0007/tables';

/** Messages that connections gave up on (docs/adr/0016). The column that cursors get is a constant: no row is rewritten. */
export class DeadLetters1764115200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    for (const sql of [DEAD_LETTERS_TABLE, DEAD_LETTER_FUNCTIONS, CHANGED_FUNCTIONS]) await runner.query(sql);
    await runner.query(deadLettersSecurity(roleNames(row?.role_prefix ?? '')));
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
