/** Every expected failure: the message is one line that a person can act on. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}

/** The data directory belongs to another living server: never retried, never overruled. */
export class DirectoryTakenError extends EmbeddedPostgresError {
  constructor(dataDir: string, holder: string | undefined) {
    const who = holder ? ` (${holder})` : '';
    super(
      `another ChatAPI server${who} is already running on ${dataDir}; stop it or set DATA_DIR to another directory`,
    );
  }
}

/** postgres ended before it was ready; what it wrote last says whether waiting helps. */
export class LaunchError extends EmbeddedPostgresError {
  /** Processes of a killed postmaster need a moment to notice its death; postgres refuses to start until they have. */
  get passes(): boolean {
    return /shared memory block|lock file ".*" (already exists|is empty)|still works in/.test(this.message);
  }
}

/** By shape, not by instanceof: errors of node's own modules are not of jest's realm. */
function textProperty(error: unknown, name: 'code' | 'name' | 'message'): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

export function errorCode(error: unknown): string | undefined {
  return textProperty(error, 'code');
}

export function firstLine(error: unknown): string {
  const text = textProperty(error, 'message') ?? String(error);
  return text.split('\n', 1)[0]?.trim() || 'unknown error';
}

const DISK_FULL = 'is full: free some space or set DATA_DIR to another disk';

function explainFileSystem(code: string | undefined, dataDir: string): string | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `the data directory ${dataDir} is not writable for this user; change its permissions or set DATA_DIR`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `the data directory ${dataDir} cannot be used: it, or a part of its path, is a file; set DATA_DIR`;
    case 'ENOENT':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return `the data directory ${dataDir} cannot be made there (${code}); set DATA_DIR to another one`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk of the data directory ${dataDir} ${DISK_FULL}`;
    default:
      return undefined;
  }
}

/** Turns whatever went wrong into the one error type that callers know. */
export function explainEmbedded(error: unknown, dataDir: string): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  if (textProperty(error, 'name') === 'AbortError') {
    return new EmbeddedPostgresError('the embedded database was stopped while it was starting', { cause: error });
  }
  const message =
    explainFileSystem(errorCode(error), dataDir) ?? `the embedded database could not start: ${firstLine(error)}`;
  return new EmbeddedPostgresError(message, { cause: error });
}

/** initdb and postgres speak English (LC_ALL=C); the last complaint is the cause, the postmaster's own before others'. */
export function explainOutput(what: string, output: string, dataDir: string, pid?: number): string {
  if (/No space left on device|Disk quota exceeded/.test(output)) {
    return `the disk of the data directory ${dataDir} ${DISK_FULL}`;
  }
  const complaints = output.split('\n').filter((line) => /\b(FATAL|PANIC|error|ERROR|could not)\b/.test(line));
  const cause = complaints.findLast((line) => line.includes(`[${pid}]`)) ?? complaints.at(-1);
  const said = cause?.replace(/^.*?\b(FATAL|PANIC|ERROR|error):\s*/, '').trim();
  return said ? `${what}: ${said}` : what;
}
