import { Client } from 'pg';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ended, exportPath, fileAt, linesIn, ofKind, type Export } from '../support/exports';
import { Api } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { RestartingServer } from '../support/restarting-server';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { uuidOf } from '../support/tenants';

const MESSAGES = 60_000;
/** The lease of a killed server has to run out before another takes its job. */
const LEASE_MS = 120_000;

const servers = new Servers();
afterEach(() => servers.cleanUp());

/** What does not compress, so that something lies there early. */
async function fill(dataDir: string, roomId: string): Promise<void> {
  const client = new Client(adminOf(dataDir));
  await client.connect();
  await client.query(
    `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
     SELECT tenant_id, room_id, last_seq + n, gen_random_uuid(), last_rev + n, 'someone',
       gen_random_uuid()::text || gen_random_uuid()::text, clock_timestamp()
     FROM rooms, generate_series(1, $2::int) n WHERE room_id = $1`,
    [uuidOf(roomId), MESSAGES],
  );
  const counted = 'UPDATE rooms SET last_seq = last_seq + $2, last_rev = last_rev + $2 WHERE room_id = $1';
  await client.query(counted, [uuidOf(roomId), MESSAGES]);
  await client.end();
}

it('a server that is killed while it writes an export begins anew, and the file is whole', async () => {
  const victim = await RestartingServer.start(servers);
  const { tenantId, roomIds } = await createServedTenant(() => victim.url, 1, 2);
  const [room = ''] = roomIds;
  await fill(victim.dataDir, room);
  const master = new Api(victim.url, { 'x-master-key': SERVED_MASTER_KEY });
  const { export_id } = bodyOf(await master.post<Export>(exportPath({ tenantId })), 202);
  const names = (): string[] => {
    try {
      return readdirSync(join(victim.dataDir, 'exports', uuidOf(tenantId)));
    } catch {
      return [];
    }
  };

  for (const attempt of [1, 2]) {
    const partial = `${uuidOf(export_id)}.${attempt}.partial`;
    await until(
      () => Promise.resolve(names()),
      (all) => all.includes(partial),
      LEASE_MS,
    );
    await (attempt === 1 ? victim.killServer() : victim.killAll());
    expect(names()).toEqual([partial]);
    expect(bodyOf(await master.get<Export>(exportPath({ tenantId }, undefined, `/${export_id}`))).state).toBe(
      'running',
    );
  }
  const { state, lines } = await ended(master, { tenantId }, export_id);
  expect(state).toBe('ready');
  expect(names()).toEqual([`${uuidOf(export_id)}.3.ndjson.gz`]);
  const file = linesIn((await fileAt(master, exportPath({ tenantId }, undefined, `/${export_id}/file`))).bytes);
  expect(file.end['sha256']).toBe(file.sha256);
  expect(file.lines).toHaveLength(lines ?? 0);
  const seqs = ofKind(file, 'message').map(({ seq }) => seq);
  expect(seqs.slice(-MESSAGES)).toEqual(seqs.slice(-MESSAGES).map((_, n) => Number(seqs.at(-MESSAGES)) + n));
  expect(seqs.length).toBeGreaterThanOrEqual(MESSAGES);
});
