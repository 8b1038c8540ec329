import type { AppError } from '../../common/errors';
import type { Database, SystemDatabase } from './database';
import type { Sql } from './runner';

/** What an argument of a type of SQL is here. An element of an array may be null; json is given as what it says. */
interface SqlTypes {
  readonly uuid: string;
  readonly text: string;
  readonly integer: number;
  readonly bigint: number;
  readonly boolean: boolean;
  readonly bytea: Buffer;
  readonly timestamptz: Date;
  readonly json: object;
  readonly jsonb: object;
  readonly 'uuid[]': readonly (string | null)[];
  readonly 'text[]': readonly (string | null)[];
  readonly 'integer[]': readonly (number | null)[];
  readonly 'bigint[]': readonly (number | null)[];
  readonly 'boolean[]': readonly (boolean | null)[];
  readonly 'bytea[]': readonly (Buffer | null)[];
}

type SqlType = keyof SqlTypes;

/** Argument → its type in SQL. With `?` it may be left out: NULL is sent for it, as for undefined and null. */
type Declared = Readonly<Record<string, SqlType | `${SqlType}?`>>;

type Args<D extends Declared> = {
  readonly [K in keyof D as D[K] extends SqlType ? K : never]: SqlTypes[D[K] & SqlType];
} & {
  readonly [K in keyof D as D[K] extends SqlType ? never : K]?:
    (D[K] extends `${infer T extends SqlType}?` ? SqlTypes[T] : never) | null | undefined;
};

/** How a function is asked, and what is made of what it says. */
export interface Returns<R> {
  /** As the catalogue has it: a set of rows, or one value of this type. */
  readonly type: 'set' | 'void' | SqlType;
  /** Every status that it may answer with, where it has one. */
  readonly statuses?: readonly string[];
  /** The result as its caller gets it. Throws what its status means. */
  readonly read: (result: unknown) => R;
}

/** Rows, of a function that returns a table. */
export function rows<Row>(): Returns<Row[]> {
  return { type: 'set', read: (result) => result as Row[] };
}

/** One value, whatever it says; NULL is null. */
export function value<R>(type: 'void' | SqlType): Returns<R> {
  return { type, read: (result) => result as R };
}

/**
 * jsonb with a `status`, as every change says it. A status that stands nowhere is a fault of ours: 500.
 * @param refusals status → what is thrown, made of the whole of what the function said
 * @param answered what is no refusal; the caller sees which it was
 */
export function answer<R extends object = object>(
  refusals: Readonly<Record<string, (result: never) => AppError>> = {},
  answered: readonly string[] = ['ok'],
): Returns<R & { readonly status: string }> {
  return {
    type: 'jsonb',
    statuses: [...answered, ...Object.keys(refusals)],
    read: (result) => {
      const said = result as R & { readonly status: string };
      if (answered.includes(said.status)) return said;
      const refusal = Object.hasOwn(refusals, said.status) ? refusals[said.status] : undefined;
      throw refusal === undefined ? new Error(`unknown status ${said.status}`) : refusal(result as never);
    },
  };
}

interface Argument {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly isJson: boolean;
}

/**
 * A function of the schema as the code knows it. It is called by the names of its arguments, with a text that is built once
 * and so is prepared once per connection. All arguments that are declared are sent; a parameter that is not must have a
 * default in SQL, which then holds. The test test/integration/schema-functions.int-spec.ts compares all with the catalogue.
 */
abstract class DeclaredFunction<R> {
  readonly arguments: readonly Argument[];

  constructor(
    readonly name: string,
    declared: Declared,
    readonly returns: Returns<R>,
    /** Whether it sees one tenant's rows: `p_tenant` is then its first argument, and `$1`. */
    readonly isOfTenant: boolean,
  ) {
    this.arguments = Object.entries(declared).map(([argument, type]) => ({
      name: argument,
      type: type.replace('?', ''),
      isOptional: type.endsWith('?'),
      isJson: type.startsWith('json'),
    }));
    schemaFunctions.push(this);
  }

  /**
   * The call as an expression of SQL. Its arguments are the parameters from `$first` on, in the order of the declaration,
   * but for those that are `given` as expressions.
   */
  expression(first: number, given: Readonly<Record<string, string>> = {}): string {
    const args = this.arguments.map(({ name }, i) => `${name} => ${given[name] ?? `$${first + i}`}`);
    return `${this.name}(${[...(this.isOfTenant ? ['p_tenant => $1'] : []), ...args].join(', ')})`;
  }

  /** Adds the values of the arguments, in the order of the declaration, but for those that are `left` to expressions. */
  addValues(values: unknown[], args: object, left: readonly string[] = []): unknown[] {
    for (const { name, isJson } of this.arguments) {
      if (left.includes(name)) continue;
      const given = (args as Readonly<Record<string, unknown>>)[name] ?? null;
      values.push(isJson && given !== null ? JSON.stringify(given) : given);
    }
    return values;
  }

  /** The statement that gives what an expression of this function gives: rows, or one row with `result`. */
  textOf(expression: string): string {
    return this.returns.type === 'set' ? `SELECT * FROM ${expression}` : `SELECT ${expression} AS result`;
  }

  protected read(found: readonly object[]): R {
    if (this.returns.type === 'set') return this.returns.read(found);
    const [first] = found as readonly { readonly result: unknown }[];
    if (first === undefined) throw new Error(`${this.name} returned no row`);
    return this.returns.read(first.result);
  }
}

/** All that are declared in what was loaded. */
export const schemaFunctions: DeclaredFunction<unknown>[] = [];

/** A function that sees one tenant's rows. */
export class SchemaFunction<A extends object, R> extends DeclaredFunction<R> {
  private readonly text: string;

  constructor(name: string, declared: Declared, returns: Returns<R>) {
    super(name, declared, returns, true);
    this.text = this.textOf(this.expression(2));
  }

  /** In a transaction of its own, in one trip. */
  async call(database: Pick<Database, 'query'>, tenantId: string, args: A): Promise<R> {
    return this.read(await database.query(this.name, tenantId, this.text, this.addValues([tenantId], args)));
  }

  /** As a statement of a transaction of this tenant. */
  async callIn(sql: Sql, tenantId: string, args: A): Promise<R> {
    return this.read(await sql.query(this.text, this.addValues([tenantId], args)));
  }
}

/** A function that sees all tenants. */
class SystemFunction<A extends object, R> extends DeclaredFunction<R> {
  private readonly text: string;

  constructor(name: string, declared: Declared, returns: Returns<R>) {
    super(name, declared, returns, false);
    this.text = this.textOf(this.expression(1));
  }

  /** In a transaction of its own, in one trip. */
  async call(system: Pick<SystemDatabase, 'query'>, args: A): Promise<R> {
    return this.read(await system.query(this.name, this.text, this.addValues([], args)));
  }

  /** As a statement of a transaction of the system role. */
  async callIn(sql: Sql, args: A): Promise<R> {
    return this.read(await sql.query(this.text, this.addValues([], args)));
  }
}

/** Declares a function that sees one tenant's rows: without `p_tenant`, which is sent first. */
export function schemaFunction<const D extends Declared, R>(
  name: string,
  args: D,
  returns: Returns<R>,
): SchemaFunction<Args<D>, R> {
  return new SchemaFunction(name, args, returns);
}

/** Declares a function that sees all tenants and is called as the system role. */
export function systemFunction<const D extends Declared, R>(
  name: string,
  args: D,
  returns: Returns<R>,
): SystemFunction<Args<D>, R> {
  return new SystemFunction(name, args, returns);
}
