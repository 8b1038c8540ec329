import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Api } from './http/api';
import { wholeLog } from './catch-up-client';
import { until } from './poll';
import { MAX_WAIT_MS } from './timing';

const ROOT = join(__dirname, '..', '..');
const CLIENT = join(ROOT, 'examples', 'client.mjs');
/** Its backoff may have grown while the server was away. */

/** examples/client.mjs in processes of their own, one per room: what each showed. */
export class ExampleClients {
  private readonly running = new Map<string, { readonly child: ChildProcessWithoutNullStreams; said: string }>();

  /** @param reader a member of all rooms, with an API key */
  constructor(
    private readonly reader: () => Api,
    roomIds: readonly string[],
  ) {
    for (const roomId of roomIds) this.start(roomId);
  }

  stop(): void {
    for (const { child } of this.running.values()) child.kill('SIGKILL');
  }

  /** How often they lost their connection. */
  get lost(): number {
    return this.lines(/^closed /).length;
  }

  /** What is wrong with what they showed, once they had the time to come back: each message of the log once, in order. */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const roomId of this.running.keys()) {
      const log = await wholeLog(this.reader(), roomId);
      const expected = log.map(({ seq, sender_id, content }) => `${seq} ${sender_id}: ${content}`);
      const shown = (): string[] => this.lines(/^\d+ /, roomId);
      await until(
        async () => shown().length,
        (count) => count >= expected.length,
        MAX_WAIT_MS,
      ).catch((error: unknown) => faults.push(`${roomId}: ${String(error)}`));
      const at = expected.findIndex((line, i) => shown()[i] !== line);
      if (at >= 0) faults.push(`${roomId}: a client was shown "${shown()[at]}", the log has "${expected[at]}"`);
      if (shown().length > expected.length) faults.push(`${roomId}: a client was shown more than there is`);
    }
    return faults;
  }

  private start(roomId: string): void {
    const { baseUrl, headers } = this.reader();
    const env = { KEY: headers['x-api-key'], USER_ID: headers['x-user-id'], SERVER: baseUrl, ROOM: roomId };
    const child = spawn(process.execPath, [CLIENT], { cwd: ROOT, env: { PATH: process.env['PATH'], ...env } });
    const entry = { child, said: '' };
    child.stdout.on('data', (text: Buffer) => (entry.said += text.toString()));
    this.running.set(roomId, entry);
  }

  private lines(wanted: RegExp, roomId?: string): string[] {
    const said = [...this.running].filter(([id]) => roomId === undefined || id === roomId).map(([, each]) => each.said);
    return said.flatMap((text) => text.split('\n').filter((line) => wanted.test(line)));
  }
}
