import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Tables whose rows show both when they were made and when they were changed last. */
const BORN = { rooms: ['updated_at'], chats: ['active_at'], presets: ['updated_at'], model_channels: ['updated_at'] };

/**
 * What is made has one time: each call of clock_timestamp gives another, and a chat, made of two rows, could be changed
 * before it was created. And answers without a word are counted without looking at the others.
 */
export class OneBirth1765324800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [table, columns] of Object.entries(BORN))
      for (const column of ['created_at', ...columns])
        await runner.query(`ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT statement_timestamp()`);
    await runner.query(
      'CREATE INDEX runs_silent ON runs (tenant_id, room_id) WHERE token_count = 0 AND answer_seq IS NOT NULL',
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
