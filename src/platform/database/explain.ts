import type { DatabaseConnection } from './connection';
import { codeOf, isServerError } from './errors';
import { DatabaseRefusal } from './refusal';

const UNTRUSTED = new Set([
  ...['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]);

interface Target {
  readonly where: string;
  readonly host: string;
  readonly user: string;
  readonly database: string;
}

/** Why an outside database could not be opened, as one clear line; what is not about the connection comes back as it is. */
export function explainOpening(error: unknown, connection: DatabaseConnection): unknown {
  const { host = '', port = 5432, user = '', database = '' } = connection;
  const where = host.startsWith('/') ? host : `${host}:${port}`;
  const line = explain(error, { where, host, user, database });
  return line === undefined ? error : new DatabaseRefusal(line, { cause: error });
}

function explain(error: unknown, target: Target): string | undefined {
  if (isServerError(error)) return explainAnswer(error.code ?? '', error.message, target);
  return explainSocket(codeOf(error), target) ?? explainDriver(error, target);
}

function explainAnswer(code: string, message: string, { where, user, database }: Target): string | undefined {
  switch (code) {
    case '28P01':
      return `PostgreSQL on ${where} refuses the password of "${user}": correct DATABASE_URL`;
    case '28000': {
      const hint = message.includes('no encryption') ? ' (add ?sslmode=verify-full to DATABASE_URL)' : '';
      return `PostgreSQL on ${where} does not let "${user}" in: ${message}${hint}`;
    }
    case '3D000':
      return `The database "${database}" does not exist on ${where}: create it with CREATE DATABASE "${database}" OWNER "${user}"`;
    case '53300':
      return `PostgreSQL on ${where} has no free connection for "${user}": raise its max_connections, or the CONNECTION LIMIT of the role or the database`;
    case '57P01':
    case '57P02':
    case '57P03':
      return `PostgreSQL on ${where} is starting up or shutting down: try again in a moment`;
    default:
      return undefined;
  }
}

function explainSocket(code: string | undefined, { where, host }: Target): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `No PostgreSQL answers on ${where} (connection refused): start it, or correct DATABASE_URL`;
    case 'ENOENT':
      return `There is no PostgreSQL socket in ${host}: start PostgreSQL, or correct DATABASE_URL`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host "${host}" of DATABASE_URL is not known`;
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `PostgreSQL on ${where} does not answer (${code}): check DATABASE_URL and the network`;
    case 'ECONNRESET':
      return `${where} hung up: check that PostgreSQL listens there`;
    default:
      if (code === undefined || !UNTRUSTED.has(code)) return undefined;
      return `The certificate of PostgreSQL on ${where} is not trusted (${code}): add sslrootcert=<file> to DATABASE_URL, or sslmode=no-verify`;
  }
}

/** The driver's own errors have words alone. */
function explainDriver(error: unknown, { where, user }: Target): string | undefined {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('does not support SSL'))
    return `PostgreSQL on ${where} does not speak TLS: take sslmode out of DATABASE_URL`;
  if (message.includes('password must be a'))
    return `PostgreSQL on ${where} wants a password for "${user}": add it to DATABASE_URL`;
  if (message.includes('Connection terminated')) return `${where} hung up: check that PostgreSQL listens there`;
  return undefined;
}
