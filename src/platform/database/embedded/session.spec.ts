import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from './session';

/** A frozen postgres: the kernel accepts connections for it, no process answers. */
describe('a session with a postgres that does not answer', () => {
  let dir: string;
  let server: Server;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'session-'));
    server = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(join(dir, '.s.PGSQL.5432'), resolve));
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const open = (): Promise<Session> =>
    Session.open({ host: dir, port: 5432, user: 'u', database: 'd' }, { applicationName: 'test', timeoutMs: 50 });

  it('ends at its deadline and leaves no connection', async () => {
    const closed = new Promise((resolve) =>
      server.once('connection', (socket) => socket.resume().once('close', resolve)),
    );
    await expect(open()).rejects.toThrow('PostgreSQL did not answer within 50 ms');
    await closed;
  });

  it('fails at once where nothing listens', async () => {
    rmSync(join(dir, '.s.PGSQL.5432'));
    await expect(open()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
