import { createHmac } from 'node:crypto';

/** Tenant of the installation's own chain: in no table of tenants. */
export const INSTALLATION = '00000000-0000-0000-0000-000000000000';

/** Before the first row. */
export const NO_MAC = Buffer.alloc(32);

const BLOCK = 64;

/**
 * The two pads of HMAC-SHA-256 (RFC 2104): with them a hash alone makes the mac, in PostgreSQL that has no HMAC.
 * @param key at most 64 bytes
 */
export function padsOf(key: Buffer): { readonly ipad: Buffer; readonly opad: Buffer } {
  const block = Buffer.alloc(BLOCK);
  key.copy(block);
  return { ipad: block.map((byte) => byte ^ 0x36) as Buffer, opad: block.map((byte) => byte ^ 0x5c) as Buffer };
}

/** As `audit_append` makes it: of the mac of the row before, and of the row's text. */
export function macOf(key: Buffer, previous: Buffer, entry: string): Buffer {
  return createHmac('sha256', key).update(previous).update(entry, 'utf8').digest();
}

/** Of the chain's end. */
export function sealOf(key: Buffer, n: number, mac: Buffer): Buffer {
  return createHmac('sha256', key).update(`head ${n} `).update(mac).digest();
}

/** A row of a chain, with what stands in its text once more. */
export interface ChainRow {
  readonly n: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly target: string | null;
  readonly subject: string | null;
  readonly entry: string;
  readonly key_id: string;
  readonly mac: Buffer;
}

/** Where a chain ends, as it says itself. */
export interface ChainHead {
  readonly n: number;
  readonly mac: Buffer;
  readonly key_id: string;
  readonly seal: Buffer;
}

/** A row that is proven, and so what comes before it; `n` 0 is before the first one. */
export interface ChainPoint {
  readonly n: number;
  readonly mac: Buffer;
}

/** What is wrong, at the first row that is. */
export interface ChainFault {
  readonly n: number;
  /** `head`: the rows hold together, and what the chain says of its end does not fit them. */
  readonly why: 'missing' | 'altered' | 'inserted' | 'head' | 'unknown_key';
}

/** The key of that name; undefined: it is not known here. */
export type ChainKeys = (keyId: string) => Buffer | undefined;

/** A stretch of a chain, read in one statement. */
export interface ChainPage {
  readonly head: ChainHead | undefined;
  /** In order of n. */
  readonly rows: readonly ChainRow[];
  /** There is none behind them. */
  readonly isEnd: boolean;
}

/**
 * Proves rows that follow one another, and the end of the chain where it is reached.
 * @param last what the rows begin behind
 * @returns the last row that is proven, and what is wrong with the one behind it
 */
function proveChain(
  keys: ChainKeys,
  last: ChainPoint,
  { head, rows, isEnd }: ChainPage,
): { readonly last: ChainPoint; readonly fault?: ChainFault | undefined } {
  let point = last;
  for (const [i, row] of rows.entries()) {
    const why = faultOf(keys, point, row, rows[i + 1]);
    if (why !== undefined) {
      const isBehindEnd = why === 'altered' && head !== undefined && row.n > head.n;
      return { last: point, fault: { n: point.n + 1, why: isBehindEnd ? 'inserted' : why } };
    }
    point = row;
  }
  return { last: point, fault: isEnd ? faultOfEnd(keys, point, head) : undefined };
}

/** What a proof has come to. */
export interface ChainProof {
  /** The last row that is proven. */
  readonly last: ChainPoint;
  readonly head: ChainHead | undefined;
  readonly fault: ChainFault | undefined;
  /** Where it is to go on; undefined: the end is reached, or a fault. */
  readonly next: number | undefined;
}

/**
 * Proves what comes behind a row, page by page.
 * @param read the rows behind a number
 * @param most rows: with the page that reaches so many it ends
 */
export async function proveBehind(
  read: (after: number) => Promise<ChainPage>,
  keys: ChainKeys,
  from: ChainPoint,
  most: number,
): Promise<ChainProof> {
  for (let last = from; ;) {
    const page = await read(last.n);
    const proven = proveChain(keys, last, page);
    last = proven.last;
    const isOver = page.isEnd || proven.fault !== undefined;
    if (!isOver && last.n - from.n < most) continue;
    return { last, head: page.head, fault: proven.fault, next: isOver ? undefined : last.n };
  }
}

function faultOf(
  keys: ChainKeys,
  last: ChainPoint,
  row: ChainRow,
  next: ChainRow | undefined,
): ChainFault['why'] | undefined {
  if (row.n !== last.n + 1) return 'missing';
  const key = keys(row.key_id);
  if (key === undefined) return 'unknown_key';
  if (macOf(key, last.mac, row.entry).equals(row.mac) && isAsItSays(row)) return undefined;
  return follows(keys, last, next) ? 'inserted' : 'altered';
}

function faultOfEnd(keys: ChainKeys, last: ChainPoint, head: ChainHead | undefined): ChainFault | undefined {
  if (head === undefined) return last.n === 0 ? undefined : { n: last.n, why: 'head' };
  const key = keys(head.key_id);
  if (key === undefined) return { n: last.n, why: 'unknown_key' };
  const isSealed = sealOf(key, head.n, head.mac).equals(head.seal);
  if (isSealed && last.n < head.n) return { n: last.n + 1, why: 'missing' };
  return isSealed && last.n === head.n && head.mac.equals(last.mac) ? undefined : { n: last.n, why: 'head' };
}

/** Whether a row was made as the next one of this: what stands between them was put there later. */
function follows(keys: ChainKeys, last: ChainPoint, row: ChainRow | undefined): boolean {
  const key = row === undefined ? undefined : keys(row.key_id);
  return row !== undefined && key !== undefined && macOf(key, last.mac, row.entry).equals(row.mac);
}

/** Whether the columns, by which the log is searched, are those of the text. */
function isAsItSays({ n, at, actor, action, target, subject, entry }: ChainRow): boolean {
  const said = JSON.parse(entry) as Readonly<Record<string, unknown>>;
  const columns = { n, at: at.toISOString(), actor, action, target, subject };
  return Object.entries(columns).every(([name, value]) => said[name] === value);
}
