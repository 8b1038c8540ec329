import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { chatPath, createChat, messagesOf, sayStreaming } from '../support/chats/http';
import { readTo } from '../support/chats/crash-fixture';
import { FakeModel, AnswerGate, type ProviderServer } from '../support/fake-model';
import { Api } from '../support/http/api';
import { listAll, type MessageBody } from '../support/messages';
import { MAX_WAIT_MS } from '../support/timing';
import { until } from '../support/poll';
import { describePostgres15, Postgres15 } from '../support/postgres15';
import { bodyOf, createRoom } from '../support/rooms';
import { createServedTenant, SERVED_MASTER_KEY, type ServerProcess, Servers } from '../support/server-process';
import { Receiver } from '../support/webhooks/receiver';
import { MessageWriters, type WriterTarget } from '../support/message-writers';

const PASSPHRASE = 'correct horse battery';
const servers = new Servers();

/** Servers of the test's own. */
const outside: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  await MessageWriters.abandonAll();
  for (const each of outside.splice(0)) await each.stop();
  await servers.cleanUp();
});

/** A data directory and where a backup of it goes, on a server that may be anywhere. */
function embedded(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { DATA_DIR: more['DATA_DIR'] ?? servers.seededDir(), MASTER_API_KEY: SERVED_MASTER_KEY, ...more };
}

async function serve(env: Readonly<Record<string, string>>): Promise<{ server: ServerProcess; url: string }> {
  return servers.start({ env });
}

async function logsOf({ as, userIds, roomIds }: WriterTarget): Promise<MessageBody[][]> {
  const logs: MessageBody[][] = [];
  for (const roomId of roomIds) logs.push(await listAll(as(userIds[0] ?? ''), roomId));
  return logs;
}

/** Which room a post is about. */
const about = (data: Readonly<Record<string, unknown>>): unknown =>
  (data['room'] as { room_id?: string } | undefined)?.room_id;

/** A webhook that does not go through, and an answer that does not end. */
async function leaveUndone(
  target: WriterTarget & { readonly tenantId: string },
  receiver: Receiver,
  model: ProviderServer,
  url: string,
): Promise<{ roomId: string; postId: string | undefined; chatId: string }> {
  const key = target.as('alice');
  receiver.answer = (response) => response.writeHead(500).end();
  const webhook = { url: receiver.url, events: ['room.created'] };
  const { webhook_secret } = bodyOf(
    await new Api(url, { 'x-master-key': SERVED_MASTER_KEY }).patch<{ webhook_secret: string }>(
      `/admin/tenants/${target.tenantId}`,
      { settings: { webhook } },
    ),
  );
  receiver.secret = webhook_secret;
  const { room_id } = await createRoom(key, 'group', ['bob']);
  const [first] = await receiver.whenReceived('room.created');
  const { id: chatId } = await createChat(key);
  model.next({ steps: ['One ', 'two ', { hold: new AnswerGate() }] });
  await readTo(await sayStreaming(key, chatId, 'Count'), 'One two ');
  return { roomId: room_id, postId: first?.id, chatId };
}

/** Some messages, each acknowledged. */
async function write(target: WriterTarget, count: number): Promise<MessageWriters> {
  const writers = new MessageWriters(target).start();
  await writers.progress(count);
  await writers.finish();
  return writers;
}

describe('S1 (a): npm run backup and npm run restore', () => {
  it('bring a running server’s data, keys and unfinished work to another directory', async () => {
    const [model, receiver] = [await FakeModel.start(), await Receiver.start()];
    outside.push(model, receiver);
    // Often enough that the post is still tried when the backup begins, on any machine.
    const WEBHOOK_RETRY_SECONDS = Array.from({ length: 300 }, () => '1').join();
    const more = { OPENAI_BASE_URL: model.url, WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_RETRY_SECONDS };
    const from = embedded(more);
    const { server, url: oldUrl } = await serve(from);
    let url = oldUrl;
    const target = await createServedTenant(() => url, 2, 2);
    const writers = await write(target, 40);
    const { roomId, postId, chatId } = await leaveUndone(target, receiver, model, url);

    const file = join(servers.dataDir(), 'moved.chatapi');
    const said = await servers.done(['backup', file, '--with-secrets'], { ...from, BACKUP_PASSPHRASE: PASSPHRASE });
    expect(said).toMatch(/^Backed up \d+ rows as of .*Z to .*moved\.chatapi \(\d+ bytes/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const logs = await logsOf(target);
    await server.kill('SIGKILL');

    const to = embedded({ ...more, DATA_DIR: join(servers.dataDir(), 'data') });
    const restored = await servers.done(['restore', file], { ...to, BACKUP_PASSPHRASE: PASSPHRASE });
    expect(restored).toMatch(/^Restored \d+ rows as of .*Z from .*moved\.chatapi\. Start the server/m);
    for (const name of ['encryption-key', 'jwt-secret'])
      expect(readFileSync(join(to['DATA_DIR'] ?? '', 'secrets', name), 'utf8')).toBe(
        readFileSync(join(from['DATA_DIR'] ?? '', 'secrets', name), 'utf8'),
      );
    receiver.answer = (response) => response.writeHead(204).end();
    const repeated = receiver.received.length;
    ({ url } = await serve(to));
    expect(await logsOf(target)).toEqual(logs);
    expect(await writers.faults()).toEqual([]);
    const posts = await until(
      () => Promise.resolve(receiver.received.slice(repeated).filter(({ data }) => about(data) === roomId)),
      (found) => found.length > 0,
      MAX_WAIT_MS,
    );
    expect(posts.map(({ id }) => id)).toEqual([postId]);
    const messages = await until(
      () => messagesOf(target.as('alice'), chatId),
      (all) => all.some(({ sender_role }) => sender_role === 'assistant'),
      MAX_WAIT_MS,
    );
    expect(messages.at(-1)).toMatchObject({ status: 'interrupted', content: expect.stringMatching(/^One /) });
    expect(bodyOf(await target.as('alice').get(chatPath(chatId)))).toBeDefined();
  }, 900_000);

  it('say what is wrong in one line, and change nothing', async () => {
    const file = join(servers.dataDir(), 'file');
    const from = embedded();
    await (await serve(from)).server.kill('SIGTERM');
    // Without a server the backup runs the database itself.
    await servers.done(['backup', file], from);
    const nowhere = embedded({ DATA_DIR: join(servers.dataDir(), 'none') });
    const refused = async (
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      why: RegExp,
      code = 1,
    ): Promise<void> => {
      const failure = await servers.command(args, env).failure();
      expect(failure.lines.join('\n')).toMatch(why);
      expect(failure.code).toBe(code);
    };
    await refused(
      ['restore', file],
      nowhere,
      /^The restore failed:\nThis backup needs the ENCRYPTION_KEY [0-9a-f]{16} .*$/,
    );
    await refused(
      ['backup', `${file}2`],
      nowhere,
      /^The backup failed:\nENCRYPTION_KEY is neither set nor in DATA_DIR/,
    );
    const key = { ENCRYPTION_KEY: 'a'.repeat(64) };
    await refused(['restore', file], { ...nowhere, ...key }, /This backup needs the ENCRYPTION_KEY/);
    await refused(['backup', `${file}2`], { ...nowhere, ...key }, /There is no database in /);
    expect(existsSync(nowhere['DATA_DIR'] ?? '')).toBe(false);
    await refused(['backup', file], from, /exists already: name a file that does not/);
    await refused(['backup', `${file}2`, '--with-secrets'], from, /Set BACKUP_PASSPHRASE/);
    await refused(['restore', file], from, /The database "chatapi" is not empty \(it holds/);
    await refused(['restore', `${file}3`], from, /Cannot read .*file3 \(ENOENT\)/);
    await refused(['restore'], from, /^Name the FILE\nUsage:/, 2);
    await refused(['backup', file, '--quick'], from, /Unknown option '--quick'/, 2);
    expect(await servers.done(['backup', '--help'], from)).toMatch(/^Usage: npm run backup -- FILE/);
    expect(readdirSync(join(file, '..'))).toEqual(['file']);
    const { server, url } = await serve(from);
    await refused(['restore', file], from, /another ChatAPI server .* is already running on/);
    expect((await new Api(url).get('/health')).status).toBe(200);
    await server.kill('SIGTERM');
  }, 900_000);

  it('that are killed are not done: there is no file, and no server starts until the restore is run again', async () => {
    const from = embedded();
    let { server, url } = await serve(from);
    const target = await createServedTenant(() => url, 2, 2);
    const writers = await write(target, 40);
    await server.kill('SIGTERM');
    const dir = servers.dataDir();
    const killedAt = async (
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      line: RegExp,
    ): Promise<void> => {
      const command = servers.command(args, env);
      await until(
        () => Promise.resolve(command.stderr.some((each) => line.test(each))),
        (said) => said,
        MAX_WAIT_MS,
      );
      expect(await command.kill('SIGKILL')).toBe('SIGKILL');
    };
    await killedAt(['backup', join(dir, 'cut')], from, /^\w+: \d+ rows$/);
    expect(readdirSync(dir)).toEqual(['cut.partial']);
    const partial = await servers
      .command(['restore', join(dir, 'cut.partial')], { ...from, DATA_DIR: join(dir, 'to') })
      .failure();
    expect(partial.lines.join()).toMatch(/is cut short|is no backup|needs the ENCRYPTION_KEY/);
    await servers.done(['backup', join(dir, 'cut')], from);
    expect(readdirSync(dir)).toEqual(['cut']);

    const to = embedded({
      DATA_DIR: servers.dataDir(),
      ENCRYPTION_KEY: readFileSync(join(from['DATA_DIR'] ?? '', 'secrets/encryption-key'), 'utf8').trim(),
    });
    for (const line of [/^\w+: \d+ rows$/, /^Building indexes/, /^Bringing the schema/, /^Collecting statistics/]) {
      await killedAt(['restore', join(dir, 'cut')], to, line);
      const { code, lines } = await servers.launch({ env: to }).failure();
      expect({ code, said: lines.at(-1) }).toEqual({
        code: 1,
        said: 'A restore into this database did not come to its end: run npm run restore again with the same file',
      });
    }
    await servers.done(['restore', join(dir, 'cut')], to);
    ({ server, url } = await serve(to));
    expect(await writers.faults()).toEqual([]);
    await server.kill('SIGTERM');
  }, 900_000);

  describePostgres15('with an own PostgreSQL 15', () => {
    let postgres: Postgres15;
    beforeAll(async () => (postgres = await Postgres15.create()));
    afterAll(() => postgres.remove());

    it('move from embedded to own and back, and every acknowledged message with them', async () => {
      const secrets = { ENCRYPTION_KEY: randomBytes(32).toString('hex'), JWT_SECRET: 'j'.repeat(40) };
      const dir = servers.dataDir();
      const one = embedded(secrets);
      let { server, url } = await serve(one);
      const target = await createServedTenant(() => url, 2, 2);
      const writers = new MessageWriters(target).start();
      await writers.progress(30);
      await writers.finish();
      await server.kill('SIGTERM');
      await servers.done(['backup', join(dir, '1')], one);

      const own = embedded({
        ...secrets,
        DATA_DIR: servers.dataDir(),
        DATABASE_URL: await postgres.createDatabase('moved'),
      });
      await servers.done(['restore', join(dir, '1')], own);
      ({ server, url } = await serve(own));
      expect(await writers.faults()).toEqual([]);
      const logs = await logsOf(target);
      bodyOf(
        await target.as('writer1').post(`/rooms/${target.roomIds[0] ?? ''}/messages`, { content: 'from 15' }),
        201,
      );
      await servers.done(['backup', join(dir, '2'), '--fast'], own);
      await server.kill('SIGTERM');

      const back = embedded({ ...secrets, DATA_DIR: servers.dataDir() });
      await servers.done(['restore', join(dir, '2')], back);
      ({ server, url } = await serve(back));
      const [first = [], ...others] = await logsOf(target);
      expect([first.slice(0, -1), ...others]).toEqual(logs);
      expect(first.at(-1)?.content).toBe('from 15');
      await server.kill('SIGTERM');
    }, 900_000);
  });
});
