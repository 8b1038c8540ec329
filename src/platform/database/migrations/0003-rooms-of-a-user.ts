import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * The index of a user's rooms names the room too. With (tenant_id, user_id) alone it looks to the planner as good as the
 * primary key for finding one membership, and then reads all rooms of a user who is in thousands; and with joined_seq
 * inside, a user's rooms are listed from the index alone.
 */
export class RoomsOfAUser1763769600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX room_members_rooms ON room_members (tenant_id, user_id, room_id) INCLUDE (joined_seq);
      DROP INDEX room_members_user;`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}
