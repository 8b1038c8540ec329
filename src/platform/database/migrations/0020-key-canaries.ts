import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * What the start compares the encryption key with: a sealed canary per key in use (modules/admin). `lc_ctype` says
 * whether extensions know more letters than ASCII has.
 */
export class KeyCanaries1765238400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE instance ADD COLUMN key_canaries text[] NOT NULL DEFAULT '{}', ADD COLUMN lc_ctype text`,
    );
    await runner.query(
      'UPDATE instance SET lc_ctype = (SELECT datctype FROM pg_database WHERE datname = current_database())',
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
