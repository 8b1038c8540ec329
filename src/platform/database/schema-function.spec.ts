import { AppError, invalid } from '../../common/errors';
import type { Sql } from './runner';
import { answer, rows, schemaFunction, systemFunction, value } from './schema-function';

interface Statement {
  readonly name: string;
  readonly tenant?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

describe('a function of the schema', () => {
  const sent: Statement[] = [];
  let found: object[];
  const database = {
    query: (name: string, tenant: string, text: string, values: readonly unknown[] = []) => {
      sent.push({ name, tenant, text, values });
      return Promise.resolve(found as never[]);
    },
  };
  const system = {
    query: (name: string, text: string, values: readonly unknown[] = []) => {
      sent.push({ name, text, values });
      return Promise.resolve(found as never[]);
    },
  };

  beforeEach(() => {
    sent.length = 0;
    found = [{ result: { status: 'ok', n: 1 } }];
  });

  const change = schemaFunction(
    'thing_change',
    { p_id: 'uuid', p_name: 'text?', p_metadata: 'json?' },
    answer<{ readonly n: number }>(
      { too_large: ({ most }: { readonly most: number }) => invalid('metadata', `at most ${most}`) },
      ['ok', 'unchanged'],
    ),
  );

  it('is called by the names of its arguments, the tenant first, with NULL for what is left out', async () => {
    await change.call(database, 'tenant', { p_metadata: { z: 1, a: [2] }, p_id: 'id' });
    await change.call(database, 'tenant', { p_id: 'id', p_name: undefined, p_metadata: null });
    const text = 'SELECT thing_change(p_tenant => $1, p_id => $2, p_name => $3, p_metadata => $4) AS result';
    expect(sent).toEqual([
      { name: 'thing_change', tenant: 'tenant', text, values: ['tenant', 'id', null, '{"z":1,"a":[2]}'] },
      { name: 'thing_change', tenant: 'tenant', text, values: ['tenant', 'id', null, null] },
    ]);
  });

  it('may be given expressions for arguments', () => {
    expect(change.expression(5, { p_metadata: 'other(p_x => $9)' })).toBe(
      'thing_change(p_tenant => $1, p_id => $5, p_name => $6, p_metadata => other(p_x => $9))',
    );
  });

  it.each(['ok', 'unchanged'])('hands an answer through: %s', async (status) => {
    found = [{ result: { status, n: 1 } }];
    expect(await change.call(database, 'tenant', { p_id: 'id' })).toEqual({ status, n: 1 });
  });

  it('throws what a refusal means, made of all that was said', async () => {
    found = [{ result: { status: 'too_large', most: 8 } }];
    await expect(change.call(database, 'tenant', { p_id: 'id' })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      field: 'metadata',
      message: 'at most 8',
    });
  });

  it.each(['new', 'constructor', undefined])(
    'of a status that stands nowhere is a fault of ours: %s',
    async (status) => {
      found = [{ result: { status } }];
      const outcome = await change.call(database, 'tenant', { p_id: 'id' }).catch((error: unknown) => error);
      expect(outcome).toEqual(new Error(`unknown status ${status ?? 'undefined'}`));
      expect(outcome).not.toBeInstanceOf(AppError);
    },
  );

  it('across tenants has no tenant; rows come as they are, and a value as it is', async () => {
    found = [{ id: 1 }, { id: 2 }];
    const list = systemFunction('things', { p_limit: 'integer' }, rows<{ readonly id: number }>());
    expect(await list.call(system, { p_limit: 2 })).toEqual(found);
    found = [{ result: null }];
    const next = systemFunction('thing_next', {}, value<number | null>('bigint'));
    expect(await next.call(system, {})).toBeNull();
    expect(sent).toEqual([
      { name: 'things', text: 'SELECT * FROM things(p_limit => $1)', values: [2] },
      { name: 'thing_next', text: 'SELECT thing_next() AS result', values: [] },
    ]);
  });

  it('is a statement of a transaction, with the same text', async () => {
    const texts: string[] = [];
    const query = (text: string): Promise<never[]> => {
      texts.push(text);
      return Promise.resolve(found as never[]);
    };
    await change.callIn({ query } satisfies Sql, 'tenant', { p_id: 'id' });
    await change.call(database, 'tenant', { p_id: 'id' });
    expect(texts[0]).toBe(sent[0]?.text);
  });

  it('that returns no row is a fault', async () => {
    found = [];
    await expect(change.call(database, 'tenant', { p_id: 'id' })).rejects.toThrow('thing_change returned no row');
  });
});
