/** Files that are sent to the server in parts. They go on while other pages of the console are looked at. */
import { useSyncExternalStore } from 'react';
import { type Api, ApiFault, bodyOf } from '../../api/client';

/** Where a file is on its way. */
export interface Sending {
  readonly tenantId: string;
  readonly importId: string;
  readonly fileName: string;
  readonly size: number;
  /** Bytes that the server has. */
  readonly sent: number;
  /** `waiting`: the server does not take it now, it is tried again. `stopped`: by a press. */
  readonly state: 'sending' | 'waiting' | 'stopped' | 'failed';
  /** Why it failed. */
  readonly fault: unknown;
}

interface Job {
  readonly api: Api;
  readonly file: File;
  readonly controller: AbortController;
}

/** By their imports. A file that has been sent whole is here no more. */
let sendings: ReadonlyMap<string, Sending> = new Map();
const jobs = new Map<string, Job>();
const listeners = new Set<() => void>();

const MB = 1024 ** 2;
/** So small that a slow line sends one within the minute after which the server gives a request up. */
const LEAST_PART = 4 * MB;
const MOST_PART = 64 * MB;
const MOST_PARTS = 1000;
const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 15_000;
/** So often is a part sent of which the server got something else. */
const TRIES = 3;

/** The same file is always cut at the same places: so it can be gone on with. */
export function partBytes(size: number): number {
  const even = Math.ceil(size / MOST_PARTS / MB) * MB;
  return Math.min(MOST_PART, Math.max(LEAST_PART, even));
}

/** Which file an import is of. Kept in this tab: after a reload the file has to be chosen again, and be the same. */
interface FileMark {
  readonly name: string;
  readonly size: number;
  readonly modified: number;
}

const markKey = (importId: string): string => `chatapi.import.${importId}`;

export function markOf(importId: string): FileMark | undefined {
  const text = sessionStorage.getItem(markKey(importId));
  return text === null ? undefined : (JSON.parse(text) as FileMark);
}

export function isSameFile(mark: FileMark, { name, size, lastModified }: File): boolean {
  return mark.name === name && mark.size === size && mark.modified === lastModified;
}

/**
 * Sends a file, and has it validated when it is there. Passing faults are tried again without end.
 * @param done parts that the server has already
 */
export function send(api: Api, ref: Pick<Sending, 'tenantId' | 'importId'>, file: File, done = 0): void {
  const { name, size, lastModified } = file;
  const mark: FileMark = { name, size, modified: lastModified };
  sessionStorage.setItem(markKey(ref.importId), JSON.stringify(mark));
  const job: Job = { api, file, controller: new AbortController() };
  jobs.get(ref.importId)?.controller.abort();
  jobs.set(ref.importId, job);
  const sent = Math.min(size, done * partBytes(size));
  put({ ...ref, fileName: name, size, sent, state: 'sending', fault: undefined });
  run(ref.importId, job, done).then(
    () => end(ref.importId, job),
    (fault: unknown) => {
      if (!job.controller.signal.aborted) change(ref.importId, { state: 'failed', fault });
    },
  );
}

/** Stops; what the server has stays there. */
export function stopSending(importId: string): void {
  jobs.get(importId)?.controller.abort();
  change(importId, { state: 'stopped' });
}

/** Goes on with a file that was stopped, or failed. */
export function resumeSending(importId: string): void {
  const sending = sendings.get(importId);
  const job = jobs.get(importId);
  if (sending === undefined || job === undefined) return;
  send(job.api, sending, job.file, Math.floor(sending.sent / partBytes(sending.size)));
}

/** Whoever signs out takes their files with them. */
export function forgetSendings(): void {
  for (const { controller } of jobs.values()) controller.abort();
  jobs.clear();
  tell(new Map());
}

export function useSendings(): ReadonlyMap<string, Sending> {
  return useSyncExternalStore(listen, () => sendings);
}

async function run(importId: string, { api, file, controller: { signal } }: Job, done: number): Promise<void> {
  const bytes = partBytes(file.size);
  const parts = Math.ceil(file.size / bytes);
  const { tenantId = '' } = sendings.get(importId) ?? {};
  const path = { tenant_id: tenantId, import_id: importId };
  for (let part = done + 1; part <= parts; part++) {
    const piece = await read(file.slice((part - 1) * bytes, part * bytes));
    await persist(importId, signal, () => sendPart(api, { path, query: { part } }, piece, signal));
    change(importId, { sent: Math.min(file.size, part * bytes) });
  }
  const validate = '/admin/tenants/{tenant_id}/imports/{import_id}/validate';
  await persist(importId, signal, () => bodyOf(api.POST(validate, { params: { path }, signal })));
}

async function read(piece: Blob): Promise<ArrayBuffer> {
  try {
    return await piece.arrayBuffer();
  } catch {
    throw new Error('The file cannot be read any more: it was changed or moved. Begin a new import with it.');
  }
}

interface PartParams {
  readonly path: { readonly tenant_id: string; readonly import_id: string };
  readonly query: { readonly part: number };
}

async function sendPart(api: Api, params: PartParams, piece: ArrayBuffer, signal: AbortSignal): Promise<void> {
  const expected = await hashOf(piece);
  for (let tries = 1; ; tries++) {
    const { sha256 } = await bodyOf(
      api.PUT('/admin/tenants/{tenant_id}/imports/{import_id}/file', {
        ...{ params, signal, body: '', bodySerializer: () => piece },
        headers: { 'Content-Type': 'application/octet-stream' },
      }),
    );
    if (expected === undefined || sha256 === expected) return;
    if (tries === TRIES)
      throw new Error(`The server got another part ${params.query.part} than was sent, three times.`);
  }
}

/** Undefined on a page without HTTPS, where the browser offers no hash. */
async function hashOf(piece: ArrayBuffer): Promise<string | undefined> {
  if (!isSecureContext) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', piece));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Calls again as long as the server is away or busy. */
async function persist(importId: string, signal: AbortSignal, call: () => Promise<unknown>): Promise<void> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, MOST_WAIT_MS)) {
    try {
      await call();
      change(importId, { state: 'sending' });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiFault) || !error.isPassing) throw error;
      change(importId, { state: 'waiting' });
      await new Promise((resolve) => setTimeout(resolve, wait));
      signal.throwIfAborted();
    }
  }
}

function put(sending: Sending): void {
  tell(new Map(sendings).set(sending.importId, sending));
}

function change(importId: string, part: Partial<Sending>): void {
  const before = sendings.get(importId);
  if (before !== undefined) put({ ...before, ...part });
}

function end(importId: string, job: Job): void {
  if (jobs.get(importId) !== job) return;
  jobs.delete(importId);
  const left = new Map(sendings);
  left.delete(importId);
  tell(left);
}

const isUnderWay = ({ state }: Sending): boolean => state === 'sending' || state === 'waiting';
const askBeforeClosing = (event: BeforeUnloadEvent): void => event.preventDefault();

function tell(next: ReadonlyMap<string, Sending>): void {
  sendings = next;
  // A tab that is closed takes the file with it.
  if ([...next.values()].some(isUnderWay)) addEventListener('beforeunload', askBeforeClosing);
  else removeEventListener('beforeunload', askBeforeClosing);
  for (const told of listeners) told();
}

function listen(told: () => void): () => void {
  listeners.add(told);
  return () => listeners.delete(told);
}
