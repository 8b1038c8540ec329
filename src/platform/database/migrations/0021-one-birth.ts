import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { METADATA } from './0021/metadata';
import { roleNames } from '../roles';

/** Tables whose rows show both when they were made and when they were changed last. */
const BORN = { rooms: ['updated_at'], chats: ['active_at'], presets: ['updated_at'], model_channels: ['updated_at'] };

/**
 * What is made has one time: each call of clock_timestamp gives another, and a chat, made of two rows, could be changed
 * before it was created. Metadata keeps the order of its keys. And answers without a word are counted without looking at
 * the others.
 */
export class OneBirth1765324800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const [table, columns] of Object.entries(BORN))
      for (const column of ['created_at', ...columns])
        await runner.query(`ALTER TABLE ${table} ALTER COLUMN ${column} SET DEFAULT statement_timestamp()`);
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const tenant = quote(roleNames(row?.role_prefix ?? '').tenant);
    await runner.query(METADATA);
    await runner.query(`
      REVOKE ALL ON FUNCTION json_merge, chat_room, room_create, room_update, chat_create, chat_update FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION json_merge, chat_room, room_create, room_update, chat_create, chat_update TO ${tenant}`);
    await runner.query(
      'CREATE INDEX runs_silent ON runs (tenant_id, room_id) WHERE token_count = 0 AND answer_seq IS NOT NULL',
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
