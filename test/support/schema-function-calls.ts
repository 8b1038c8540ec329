import { answer, type Database, type SchemaFunction, schemaFunction } from '../../src/platform/database';

/** What a function of the schema says, as jsonb. */
export interface FunctionResult {
  readonly status: string;
  readonly message?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** No service moves a room's beginning yet. */
export const roomTrim = schemaFunction(
  'room_trim',
  { p_room: 'uuid', p_first_seq: 'bigint' },
  answer({}, ['ok', 'unchanged']),
);

/** Runs one statement and returns its rows. */
type Run = (text: string, values: unknown[]) => Promise<readonly { readonly result: FunctionResult }[]>;

/** Calls a function through `run`, and tells what it says: statuses that a service would throw among them. */
export async function callFunctionThrough<A extends object>(
  run: Run,
  tenantId: string,
  fn: SchemaFunction<A, unknown>,
  args: A,
): Promise<FunctionResult> {
  const [row] = await run(`SELECT ${fn.expression(2)} AS result`, fn.addValues([tenantId], args));
  if (!row) throw new Error(`${fn.name} returned no row`);
  return row.result;
}

/** The same as the tenant role, in a transaction of its own. */
export function callFunction<A extends object>(
  database: Database,
  tenantId: string,
  fn: SchemaFunction<A, unknown>,
  args: A,
): Promise<FunctionResult> {
  return callFunctionThrough((text, values) => database.query(fn.name, tenantId, text, values), tenantId, fn, args);
}
