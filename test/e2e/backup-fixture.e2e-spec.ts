import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app';
import { loadConfig } from '../../src/config';
import { SilentLog } from '../../src/platform/logging';
import { keyFingerprint, SecretBox } from '../../src/platform/secrets';
import { BackupsFixture } from '../support/backups';
import { messagesOf } from '../support/chats/http';
import { createEmptyDatabase, type TestDatabase } from '../support/database';
import { Api } from '../support/http/api';
import { listAll, send } from '../support/messages';
import { BACKUP_0016 } from '../support/old-schemas';
import { bodyOf } from '../support/rooms';

/**
 * Made by the first release that had backups, and never made anew: every later release restores it. It holds a tenant
 * with an API key, a webhook and a channel, a room with 30 messages of alice and bob, and a chat.
 */
const IN_IT = {
  key: 'chatapi_QzA7jkLd1YhDHXpm0qhvKf8OV7VvyDE71B8EE2',
  encryptionKey: 'ab'.repeat(32),
  room: 'room_01a22384262071babfd28da1bffabee1',
  chat: '01a22384-285b-7c5a-a399-826d7c822e97',
  rows: 86,
};

describe('S1 (a): the backup of the first release', () => {
  const backups = new BackupsFixture();
  const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-fixture-'));
  let target: TestDatabase;
  let app: App | undefined;

  beforeAll(async () => {
    target = await createEmptyDatabase();
  });
  afterAll(async () => {
    await app?.lifecycle.stop('test over');
    await target.drop();
    backups.remove();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is restored by this one, and served', async () => {
    const { header, rows } = await backups.restore(BACKUP_0016, target.connection);
    expect(rows).toBe(IN_IT.rows);
    expect(header).toMatchObject({ epoch: 1, keys: [keyFingerprint(IN_IT.encryptionKey)], has_secrets: false });
    const config = loadConfig({
      ...{ NODE_ENV: 'test', PORT: '0', HOST: '127.0.0.1', DATA_DIR: dataDir, ENCRYPTION_KEY: IN_IT.encryptionKey },
      ...{ DATABASE_URL: target.url, DATABASE_ALLOW_UNSAFE: 'true', DATABASE_POOL_SIZE: '4' },
    });
    app = await createApp(config, () => undefined, new SilentLog());
    const as = (user: string): Api => new Api(app?.url ?? '', { 'x-api-key': IN_IT.key, 'x-user-id': user });
    const messages = await listAll(as('alice'), IN_IT.room);
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(messages[6]).toMatchObject({
      content: 'a\tb\\N\n\\. 👍',
      meta: { z: 7, a: [1.5, null] },
      sender_id: 'alice',
    });
    expect(bodyOf(await as('bob').get<{ last_acked_seq: number }>(`/rooms/${IN_IT.room}`))).toMatchObject({
      last_seq: 30,
    });
    // What was sent before is answered again, what is new goes on.
    const repeated = await send(as('bob'), IN_IT.room, {
      content: 'message 30',
      meta: { z: 30, a: [1.5, null] },
      client_message_id: 'c30',
    });
    expect(repeated.seq).toBe(30);
    expect((await send(as('bob'), IN_IT.room)).seq).toBe(31);
    expect((await messagesOf(as('alice'), IN_IT.chat)).map(({ sender_role }) => sender_role)).toEqual([
      'user',
      'assistant',
    ]);
    const [webhook] = await target.sql<{ tenant_id: string; secret: string }>('SELECT tenant_id, secret FROM webhooks');
    expect(new SecretBox(IN_IT.encryptionKey).openSecret(webhook?.secret ?? '', webhook?.tenant_id ?? '')).toMatch(
      /^whsec_/,
    );
  }, 600_000);
});
