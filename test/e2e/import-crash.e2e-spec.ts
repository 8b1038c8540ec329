import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeId } from '../../src/common/ids';
import { randomOf } from '../support/convergence/simulator';
import { type Answer, Api, errorOf } from '../support/http/api';
import { until } from '../support/poll';
import { RestartingServer } from '../support/restarting-server';
import { bodyOf, listRooms } from '../support/rooms';
import { createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { uuidOf } from '../support/tenants';
import { exportFile, roomLines, userLine } from '../support/transfer/files';
import { createImport, type ImportBody, importIn, importPath, sendPart } from '../support/transfer/imports';

const ROOMS = 4;
const MESSAGES = 3000;
const TOTAL = ROOMS * MESSAGES;
const PARTS = 6;
const USERS = ['ann', 'ben'];
/** Of the moments in which it is killed. One that failed: its CRASH_SEED. */
const SEED = Number(process.env['CRASH_SEED'] ?? 1 + Math.floor(Math.random() * 1e6));

const servers = new Servers();
afterEach(() => servers.cleanUp());

/** An import of a large file by a server that dies. */
class DyingImport {
  private constructor(
    readonly victim: RestartingServer,
    private readonly tenant: Awaited<ReturnType<typeof createServedTenant>>,
    readonly file: Buffer,
    readonly expected: readonly unknown[],
    private readonly importId: string,
  ) {}

  static async begin(): Promise<DyingImport> {
    const victim = await RestartingServer.start(servers);
    const tenant = await createServedTenant(() => victim.url, 0, 0);
    const rooms = Array.from({ length: ROOMS }, () =>
      roomLines({ members: USERS, messages: Array.from({ length: MESSAGES }, () => ({})) }),
    );
    const lines = rooms.flat();
    const expected = lines
      .flatMap((line) => (line.kind === 'message' ? [line] : []))
      .map(({ room_id, seq, message_id, sender_id, content }) => ({
        ...{ room_id: decodeId('room', room_id), seq, message_id: decodeId('message', message_id) },
        ...{ sender_id, content },
      }));
    const file = exportFile([...USERS.map((user) => userLine(user)), ...lines]);
    const { import_id } = await createImport(DyingImport.masterOf(victim), tenant);
    return new DyingImport(victim, tenant, file, expected, import_id);
  }

  private static masterOf({ url }: RestartingServer): Api {
    return new Api(url, { 'x-master-key': SERVED_MASTER_KEY });
  }

  get master(): Api {
    return DyingImport.masterOf(this.victim);
  }

  /** From 1. */
  part(n: number): Buffer {
    const size = Math.ceil(this.file.length / PARTS);
    return this.file.subarray((n - 1) * size, n * size);
  }

  send(n: number): ReturnType<typeof sendPart> {
    return sendPart(this.master, this.tenant, this.importId, n, this.part(n));
  }

  /** Sends half of a part, and no more of it; ends with the connection. */
  async sendHalf(n: number): Promise<void> {
    const part = this.part(n);
    async function* half(): AsyncGenerator<Buffer> {
      yield part.subarray(0, part.length / 2);
      await new Promise<never>(() => undefined);
    }
    const request = {
      method: 'PUT',
      headers: { ...this.master.headers, 'content-type': 'application/octet-stream' },
      body: half(),
      duplex: 'half',
    };
    const path = `${importPath(this.tenant, this.importId)}/file?part=${n}`;
    await fetch(this.victim.url + path, request as unknown as RequestInit).then(
      ({ status }) => Promise.reject(new Error(`half of a part was answered ${status}`)),
      () => undefined,
    );
  }

  ask(what: 'validate' | 'start'): Promise<Answer<ImportBody>> {
    return this.master.post<ImportBody>(`${importPath(this.tenant, this.importId)}/${what}`);
  }

  in(...states: ImportBody['state'][]): Promise<ImportBody> {
    return importIn(this.master, this.tenant, this.importId, states);
  }

  async told(): Promise<ImportBody> {
    return bodyOf(await this.master.get<ImportBody>(importPath(this.tenant, this.importId)));
  }

  get folder(): string {
    return join(this.victim.dataDir, 'imports', uuidOf(this.tenant.tenantId), uuidOf(this.importId));
  }

  /** Of the files that are there, by their names. */
  sizes(): ReadonlyMap<string, number> {
    const names = existsSync(this.folder) ? readdirSync(this.folder) : [];
    return new Map(names.map((name) => [name, statSync(join(this.folder, name)).size]));
  }

  async isWorking(kind: string): Promise<boolean> {
    const found = await this.victim.sql(`SELECT 1 FROM jobs WHERE kind = $1 AND state = 'running'`, kind);
    return found.length > 0;
  }

  async messages(): Promise<number> {
    const count = 'SELECT count(*)::int AS n FROM messages WHERE tenant_id = $1';
    const [row] = await this.victim.sql<{ n: number }>(count, uuidOf(this.tenant.tenantId));
    return row?.n ?? 0;
  }

  /** All that is there, in the order of the file. */
  async log(): Promise<unknown[]> {
    const rows = await this.victim.sql<{ room_id: string }>(
      'SELECT room_id, seq::int, message_id, sender_id, content FROM messages WHERE tenant_id = $1 ORDER BY seq',
      uuidOf(this.tenant.tenantId),
    );
    const order = new Map(this.expected.map((line) => [(line as { room_id: string }).room_id, 0]));
    return [...order.keys()].flatMap((roomId) => rows.filter(({ room_id }) => room_id === roomId));
  }

  /** How many messages each room has that its members see. */
  async shown(): Promise<number[]> {
    return (await listRooms(this.tenant.as('ann'))).rooms.map(({ last_seq }) => last_seq);
  }
}

/** Parts that were not answered are sent once more; those that were are not. */
async function upload(dying: DyingImport, random: () => number): Promise<void> {
  for (const n of [1, PARTS]) bodyOf(await dying.send(n));
  const cut = [2, 3].map((n) => dying.sendHalf(n));
  await until(
    async () => [...dying.sizes()].filter(([name, bytes]) => name.endsWith('.new') && bytes > 0),
    (begun) => begun.length === cut.length,
  );
  await dying.victim.killServer();
  await Promise.all(cut);
  expect([...dying.sizes().keys()].filter((name) => !name.endsWith('.new')).sort()).toEqual([
    'part-00001',
    `part-0000${PARTS}`,
  ]);
  expect(await dying.told()).toMatchObject({ state: 'uploading', parts: PARTS });
  const early = await dying.ask('validate');
  expect([early.status, errorOf(early).message]).toEqual([409, 'Part 2 of the file is missing']);

  // And at any moment, while all that is left is under way.
  const left = new Set([2, 3, 4, 5]);
  const sendLeft = (): Promise<unknown> =>
    Promise.all(
      [...left].map((n) =>
        dying.send(n).then(
          (answer) => bodyOf(answer).bytes === dying.part(n).length && left.delete(n),
          () => undefined,
        ),
      ),
    );
  const written = Math.floor(random() * 5);
  const sending = sendLeft();
  await until(
    async () => [...dying.sizes().keys()].filter((name) => /^part-0000[2-5]/.test(name)).length,
    (files) => files >= written,
  );
  await dying.victim.killServer();
  await sending;
  await sendLeft();
  expect([...left]).toEqual([]);
}

async function validate(dying: DyingImport): Promise<void> {
  const { victim } = dying;
  bodyOf(await dying.ask('validate'), 202);
  await victim.stopWhen(
    'the file is looked at',
    () => dying.isWorking('import.validate'),
    // It was faster: once more.
    async () => (await dying.told()).state === 'valid' && dying.ask('validate'),
  );
  await victim.endLeases();
  await victim.killServer();
  expect(await dying.in('valid', 'invalid', 'failed')).toMatchObject({
    ...{ state: 'valid', fault_count: 0, bytes: dying.file.length, counts: {} },
    sha256: createHash('sha256').update(dying.file).digest('hex'),
  });
  expect(await dying.messages()).toBe(0);
}

async function load(dying: DyingImport, random: () => number): Promise<void> {
  const { victim } = dying;
  bodyOf(await dying.ask('start'), 202);
  const crashes = [
    () => victim.endLeases().then(() => victim.killServer()),
    () => victim.killPostgres(),
    () => victim.endLeases().then(() => victim.killAll()),
  ];
  const moments = crashes.map(() => Math.floor(random() * TOTAL * 0.9)).sort((a, b) => a - b);
  for (const [n, crash] of crashes.entries()) {
    const reached = async (): Promise<boolean> =>
      (await dying.messages()) >= (moments[n] ?? 0) && dying.isWorking('import.load');
    await victim.stopWhen(`${moments[n]} messages are written`, reached);
    expect(await dying.messages()).toBeLessThan(TOTAL);
    await crash();
    const now = await until(
      () => dying.told().catch(() => undefined),
      (answer) => answer !== undefined,
    );
    // On a busy machine it may have come to its end by now; with all that is in the file.
    if (now?.state !== 'running') expect([now?.state, now?.counts['message']]).toEqual(['done', TOTAL]);
    // A room is there when it is whole, and its messages are counted before that.
    const shown = await dying.shown();
    expect(shown.filter((count) => count !== MESSAGES)).toEqual([]);
    expect(now?.counts['room'] ?? 0).toBeLessThanOrEqual(shown.length);
    const counted = (await dying.told()).counts['message'] ?? 0;
    expect(counted).toBeGreaterThanOrEqual(shown.length * MESSAGES);
    expect(counted).toBeLessThanOrEqual(await dying.messages());
    expect((await dying.send(1)).status).toBe(409);
  }
}

it(`an import goes on wherever its server is killed, and makes everything once, seed ${SEED}`, async () => {
  const random = randomOf(SEED);
  const dying = await DyingImport.begin();
  await upload(dying, random);

  await validate(dying);
  await load(dying, random);
  const counts = { user: USERS.length, room: ROOMS, member: ROOMS * USERS.length, message: TOTAL };
  expect(await dying.in('done', 'failed')).toMatchObject({ state: 'done', error: null, counts });
  expect(await dying.log()).toEqual(dying.expected);
  expect(await dying.shown()).toEqual(Array.from({ length: ROOMS }, () => MESSAGES));
  await until(
    async () => existsSync(dying.folder),
    (isThere) => !isThere,
  );
  expect(bodyOf(await dying.ask('start'), 202)).toMatchObject({ state: 'done', counts });
});
