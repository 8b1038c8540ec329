import type { Client } from 'pg';
import { compareVersions } from '../../common/version';
import { codeOf, DatabaseRefusal } from './errors';
import { quote, type RoleNames } from './roles';
import { withRoles, type FunctionFile } from './schema-files';

/** A row of `schema_functions`: a function that is ours. */
export interface RecordedFunction {
  readonly signature: string;
  readonly hash: string;
  /** It is still there. */
  readonly present: boolean;
}

/** What makes the functions of a database those of the files. */
export interface FunctionChanges {
  /** Made anew, or replaced. */
  readonly changed: readonly FunctionFile[];
  /** Signatures that go. */
  readonly gone: readonly string[];
}

/** @param minRelease the oldest release that may run on the database: what only an older one calls goes */
export function functionChanges(
  files: readonly FunctionFile[],
  recorded: readonly RecordedFunction[],
  minRelease: string,
): FunctionChanges {
  const hashes = new Map(recorded.map(({ signature, hash, present }) => [signature, present ? hash : undefined]));
  const kept = files.flatMap((file) => file.kept).filter(({ before }) => compareVersions(minRelease, before) < 0);
  const stays = new Set([...files, ...kept].map(({ signature }) => signature));
  return {
    changed: files.filter(({ signature, hash }) => hashes.get(signature) !== hash),
    gone: [...hashes.keys()].filter((signature) => !stays.has(signature)),
  };
}

/**
 * Makes the changes, in the transaction that the session is in. Only functions that are recorded are replaced or dropped:
 * one that another program made is refused, not touched. A function is replaced where it is, so that sessions which call it
 * meanwhile find the old or the new one; only where PostgreSQL cannot (another result, other names of parameters, another
 * owner) it is dropped and made anew.
 */
export class FunctionChanger {
  constructor(
    private readonly client: Client,
    private readonly roles: RoleNames,
    private readonly recorded: readonly RecordedFunction[],
  ) {}

  async apply({ changed, gone }: FunctionChanges): Promise<void> {
    if (changed.length === 0 && gone.length === 0) return;
    const append = quote(this.roles.append);
    await this.client.query(`GRANT CREATE ON SCHEMA public TO ${append}`);
    for (const signature of gone) await this.drop(signature);
    for (const file of changed) await this.make(file);
    await this.client.query(`REVOKE CREATE ON SCHEMA public FROM ${append}`);
    await this.client.query('DELETE FROM schema_functions WHERE signature = ANY ($1)', [gone]);
    await this.client.query(
      `INSERT INTO schema_functions (signature, hash) SELECT * FROM unnest($1::text[], $2::text[])
       ON CONFLICT (signature) DO UPDATE SET hash = EXCLUDED.hash`,
      [changed.map(({ signature }) => signature), changed.map(({ hash }) => hash)],
    );
  }

  private async make(file: FunctionFile): Promise<void> {
    const isOurs = this.recorded.some(({ signature, present }) => present && signature === file.signature);
    try {
      await this.client.query(`SAVEPOINT made; ${this.statements(file, isOurs)} RELEASE SAVEPOINT made`);
    } catch (error) {
      if (codeOf(error) === '42723')
        throw new DatabaseRefusal(
          `The schema public holds a function ${file.signature} that is not ChatAPI's: drop it, or use a database of its own`,
          { cause: error },
        );
      if (!isOurs || !['42P13', '42501'].includes(codeOf(error) ?? '')) throw error;
      await this.client.query('ROLLBACK TO SAVEPOINT made');
      await this.drop(file.signature);
      await this.client.query(this.statements(file, false));
    }
    if (isOurs) await this.dropTriggers(file.signature);
    if (file.triggers !== '') await this.client.query(withRoles(file.triggers, this.roles));
  }

  private statements({ signature, owner, execute, create }: FunctionFile, isOurs: boolean): string {
    const { tenant, system, append } = this.roles;
    const others = [tenant, system, append].filter((name) => owner === undefined || name !== this.roles[owner]);
    return [
      owner === undefined ? '' : `SET LOCAL ROLE ${quote(this.roles[owner])};`,
      isOurs ? create.replace(/^CREATE/, 'CREATE OR REPLACE') : create,
      `REVOKE ALL ON FUNCTION ${signature} FROM PUBLIC, ${others.map(quote).join(', ')};`,
      `GRANT EXECUTE ON FUNCTION ${signature} TO ${execute.map((key) => quote(this.roles[key])).join(', ')};`,
      owner === undefined ? '' : 'RESET ROLE;',
    ].join('\n');
  }

  private async drop(signature: string): Promise<void> {
    await this.dropTriggers(signature);
    const { rows } = await this.client.query<{ owner: string; is_login: boolean }>(
      `SELECT pg_get_userbyid(proowner) AS owner, pg_get_userbyid(proowner) = current_user AS is_login FROM pg_proc
       WHERE oid = to_regprocedure('public.' || $1)`,
      [signature],
    );
    if (!rows[0]) return;
    const { owner, is_login: isLogin } = rows[0];
    const drop = `DROP FUNCTION public.${signature};`;
    await this.client.query(isLogin ? drop : `SET LOCAL ROLE ${quote(owner)}; ${drop} RESET ROLE;`);
  }

  private async dropTriggers(signature: string): Promise<void> {
    const { rows } = await this.client.query<{ drop: string }>(
      `SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) AS drop FROM pg_trigger
       WHERE tgfoid = to_regprocedure('public.' || $1) AND NOT tgisinternal`,
      [signature],
    );
    for (const { drop } of rows) await this.client.query(drop);
  }
}
