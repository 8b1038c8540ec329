import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** When a user first opened a socket of /ws/chat, so that `user_created` is told once. Whoever was on /ws has last_seen_at. */
export class FirstSocket1764806400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users ADD COLUMN first_socket_at timestamptz(3)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
