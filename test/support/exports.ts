import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { TestTenant } from './app';
import type { Api, Bodies } from './http/api';
import { until } from './poll';
import { bodyOf } from './rooms';

export type Export = Bodies['ExportDto'];

/** A line of a file. */
export type Line = Readonly<Record<string, unknown>> & { readonly kind: string };

/** A file as it was sent. */
export interface SentFile {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

/** A file, read. */
export interface ExportedLines {
  readonly header: Line;
  /** Those between header and end. */
  readonly lines: readonly Line[];
  readonly end: Line;
  /** What `end.sha256` is to be. */
  readonly sha256: string;
  /** The text between header and end. */
  readonly text: string;
}

/** Where exports of a tenant, or of a user's data, are. */
export function exportPath({ tenantId }: Pick<TestTenant, 'tenantId'>, userId?: string, rest = ''): string {
  const own = userId === undefined ? '/exports' : `/users/${encodeURIComponent(userId)}/export`;
  return `/admin/tenants/${tenantId}${own}${rest}`;
}

/** Asks for an export and waits until it is ready. */
export async function readyExport(by: Api, tenant: Pick<TestTenant, 'tenantId'>, userId?: string): Promise<Export> {
  const { export_id } = bodyOf(await by.post<Export>(exportPath(tenant, userId)), 202);
  return ended(by, tenant, export_id, userId);
}

/** Waits until an export is neither queued nor running. */
export async function ended(
  by: Api,
  tenant: Pick<TestTenant, 'tenantId'>,
  exportId: string,
  userId?: string,
): Promise<Export> {
  const path = exportPath(tenant, userId, `/${exportId}`);
  return until(
    async () => bodyOf(await by.get<Export>(path)),
    ({ state }) => state !== 'queued' && state !== 'running',
  );
}

/** The bytes of an answer: the client of the tests reads text. */
export async function fileAt(by: Api, path: string): Promise<SentFile> {
  const response = await fetch(by.baseUrl + path, { headers: { ...by.headers } });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** The lines of a whole file. */
export function linesIn(gzipped: Buffer): ExportedLines {
  const text = gunzipSync(gzipped).toString('utf8');
  const all = text.split('\n');
  if (all.pop() !== '') throw new Error('the last line has no end');
  const [header, ...rest] = all.map((line) => JSON.parse(line) as Line);
  const end = rest.pop();
  if (header === undefined || end === undefined) throw new Error(`a file of ${all.length} lines`);
  const between = all.slice(1, -1).map((line) => `${line}\n`);
  const sha256 = createHash('sha256').update(between.join('')).digest('hex');
  return { header, lines: rest, end, sha256, text: between.join('') };
}

/** Exports a tenant, or a user's data, and reads the file. */
export async function exported(by: Api, tenant: Pick<TestTenant, 'tenantId'>, userId?: string): Promise<ExportedLines> {
  const { export_id, state, error } = await readyExport(by, tenant, userId);
  if (state !== 'ready') throw new Error(`the export is ${state}: ${error ?? ''}`);
  const { status, bytes } = await fileAt(by, exportPath(tenant, userId, `/${export_id}/file`));
  if (status !== 200) throw new Error(`the file answered ${status}: ${bytes.toString()}`);
  return linesIn(bytes);
}

/** Lines of one kind. */
export function ofKind({ lines }: ExportedLines, kind: string): Line[] {
  return lines.filter((line) => line.kind === kind);
}
