import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import type { AdaptedFault, AdaptedItem, AdaptedLine } from '../../../src/modules/transfer/adapters/adapter';
import { LINE_KEYS, type TenantExportLine } from '../../../src/modules/transfer/format';
import type { RandomAccess } from '../../../src/modules/transfer/imports/import-file';

/** A file in memory, given out in pieces of `pieceBytes`. */
export class BytesFile implements RandomAccess {
  constructor(
    private readonly bytes: Buffer,
    private readonly pieceBytes = 64 * 1024,
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  async *stream(start = 0, end = this.size): AsyncGenerator<Buffer> {
    for (let at = start; at < end; at += this.pieceBytes)
      yield await Promise.resolve(this.bytes.subarray(at, Math.min(end, at + this.pieceBytes)));
  }

  read(position: number, length: number): Promise<Buffer> {
    const found = this.bytes.subarray(position, position + length);
    return position < 0 || found.length < length
      ? Promise.reject(new RangeError('the file ends before'))
      : Promise.resolve(found);
  }
}

/** A zip of files, by name. What is no text is written as JSON. */
export async function zipOf(
  files: Readonly<Record<string, unknown>>,
  options: { readonly compress?: boolean; readonly mode?: number } = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.isBuffer(content)
      ? content
      : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content, null, 2));
    zip.addBuffer(bytes, name, { compress: options.compress ?? true, mode: options.mode ?? 0o100644 });
  }
  zip.end();
  return buffer(zip.outputStream);
}

export interface Adapted {
  readonly lines: readonly TenantExportLine[];
  readonly items: readonly AdaptedLine[];
  readonly faults: readonly AdaptedFault[];
}

/** Everything that an adapter yields; each line has the keys of its kind, in their order. */
export async function adapted(items: AsyncIterable<AdaptedItem>): Promise<Adapted> {
  const found: AdaptedLine[] = [];
  const faults: AdaptedFault[] = [];
  for await (const item of items)
    if ('fault' in item) faults.push(item);
    else found.push(item);
  for (const { value } of found) expect(Object.keys(value)).toEqual(['kind', ...LINE_KEYS[value.kind]]);
  return { lines: found.map(({ value }) => value), items: found, faults };
}

type Kind = TenantExportLine['kind'];

/** The lines of one kind. */
export function linesOf<K extends Kind>(
  lines: readonly TenantExportLine[],
  kind: K,
): Extract<TenantExportLine, { kind: K }>[] {
  return lines.filter((line): line is Extract<TenantExportLine, { kind: K }> => line.kind === kind);
}

/**
 * Checks what an importer needs of the order and of the numbers: users by id, then rooms by id, each with its members by id
 * and its messages with seq 1 … last_seq, at times that never fall.
 */
export function checkOrder(lines: readonly TenantExportLine[]): void {
  const ORDER: readonly Kind[] = ['user', 'room', 'member', 'message'];
  let before: TenantExportLine | undefined;
  let seq = 0;
  for (const line of lines) {
    if (before !== undefined && line.kind !== 'room')
      expect(ORDER.indexOf(line.kind)).toBeGreaterThanOrEqual(ORDER.indexOf(before.kind));
    if (line.kind === 'message') {
      expect([line.seq, line.rev]).toEqual([seq + 1, seq + 1]);
      if (before?.kind === 'message') expect(line.created_at >= before.created_at).toBe(true);
      seq = line.seq;
    } else if (line.kind === 'room') seq = 0;
    before = line;
  }
  const sorted = (ids: readonly string[]): void => expect(ids).toEqual([...new Set(ids)].sort());
  sorted(linesOf(lines, 'user').map(({ user_id }) => user_id));
  const users = new Set(linesOf(lines, 'user').map(({ user_id }) => user_id));
  sorted(linesOf(lines, 'room').map(({ room_id }) => room_id));
  for (const room of linesOf(lines, 'room')) {
    const members = linesOf(lines, 'member').filter(({ room_id }) => room_id === room.room_id);
    const messages = linesOf(lines, 'message').filter(({ room_id }) => room_id === room.room_id);
    sorted(members.map(({ user_id }) => user_id));
    expect(members.map(({ member_no }) => member_no).sort((a, b) => a - b)).toEqual(members.map((_, i) => i + 1));
    expect([room.members_added, room.last_seq, room.last_rev]).toEqual([
      members.length,
      messages.length,
      messages.length,
    ]);
    expect(room.last_message_at).toBe(messages.at(-1)?.created_at ?? null);
    for (const each of [...members.map(({ user_id }) => user_id), ...messages.map(({ sender_id }) => sender_id)])
      expect(users.has(each)).toBe(true);
    for (const id of ['message_id', 'client_message_id'] as const)
      expect(new Set(messages.map((message) => message[id])).size).toBe(messages.length);
  }
}
