import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLOSE_CODES } from '../../src/realtime/protocol/asyncapi/connection';
import type { TestTenant } from '../support/app';
import { pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, sendMany } from '../support/rooms';
import { checkFrame, type Direction } from '../support/ws/asyncapi';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

const ROOT = join(__dirname, '..', '..');
const CLIENT = join(ROOT, 'examples', 'client.mjs');
const PAGE = readFileSync(join(ROOT, 'docs', 'protocol.md'), 'utf8');

/** The blocks of the page whose fence says this. */
function blocks(fence: string): string[] {
  return [...PAGE.matchAll(/^```(.*)\n([^]*?)^```$/gm)].flatMap(([, said, text]) =>
    said === fence && text !== undefined ? [text] : [],
  );
}

/** More than a sync brings lies before it. */
const LAST = 620;

describe('docs/protocol.md', () => {
  it.each<Direction>(['client', 'server'])('shows frames of the %s as they are', (direction) => {
    const frames = blocks(`json ${direction}`);
    expect(frames.length).toBeGreaterThan(3);
    for (const text of frames) checkFrame(JSON.parse(text), direction);
  });

  it.each<Direction>(['client', 'server'])('shows frames of the %s on /ws/chat as they are', (direction) => {
    const frames = blocks(`json chat ${direction}`);
    expect(frames.length).toBeGreaterThan(1);
    for (const text of frames) checkFrame(JSON.parse(text), direction, 'chat');
  });

  it('has every close code', () => {
    for (const [code] of CLOSE_CODES) expect(PAGE).toContain(`| ${code} |`);
  });

  it('shows the client of the examples as it is', () => {
    expect(blocks('js')).toEqual([readFileSync(CLIENT, 'utf8')]);
  });

  describe('its client', () => {
    let app: SocketApp;
    let tenant: TestTenant;
    const running: ChildProcessWithoutNullStreams[] = [];

    beforeAll(async () => {
      app = await startSocketApp();
      tenant = await app.tenant();
    });
    afterAll(async () => {
      for (const child of running) child.kill('SIGKILL');
      await app.close();
    });

    /** Runs the client as a user. */
    function start(userId: string, room: string): { lines(): string[]; type(line: string): void } {
      const env = { ...process.env, KEY: tenant.apiKey, USER_ID: userId, SERVER: app.url, ROOM: room };
      const child = spawn(process.execPath, [CLIENT], { cwd: ROOT, env });
      running.push(child);
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
      return { lines: () => said.split('\n'), type: (line) => child.stdin.write(`${line}\n`) };
    }

    async function says(client: { lines(): string[] }, line: string): Promise<void> {
      await until(
        async () => client.lines(),
        (lines) => lines.includes(line),
      );
    }

    const live = (userId: string): boolean =>
      app.handler.messages.some(({ connection, text }) => connection.userId === userId && text.includes('"sync"'));

    it('sends, shows what comes, and after a lost connection all that it missed, however much', async () => {
      const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
      const [alice, bob] = [start('alice', room_id), start('bob', room_id)];
      await until(async () => live('alice') && live('bob'), Boolean);
      alice.type('hello from the page');
      await says(bob, '1 alice: hello from the page');

      for (const { connection } of app.handler.messages.slice())
        if (connection.userId === 'bob') connection.close(4000, 'for the test');
      await sendMany(tenant.as('alice'), room_id, LAST - 2);
      const edited = await send(tenant.as('alice'), room_id, { content: `message ${LAST}` });
      await says(bob, `${LAST} alice: message ${LAST}`);
      bodyOf(await tenant.as('alice').patch(pathOf(room_id, edited), { content: 'better' }));
      bob.type('good bye');
      for (const client of [alice, bob]) {
        await says(client, `${LAST} alice: better`);
        await says(client, `${LAST + 1} bob: good bye`);
        const seqs = client
          .lines()
          .flatMap((line) => (/^\d+ \w+: (?!better)/.test(line) ? [Number.parseInt(line)] : []));
        expect(seqs).toEqual(Array.from({ length: LAST + 1 }, (_, i) => i + 1));
      }
      expect(bob.lines().filter((line) => line.startsWith('closed'))).toEqual(['closed 4000 for the test']);
    });
  });
});
