/** A statement, under the name that it is prepared with. */
export interface Statement {
  /** undefined: not prepared. */
  readonly name: string | undefined;
  readonly text: string;
  /** false only where it surely writes nothing; such a statement is sent in a read-only transaction, as a proof. */
  readonly mayWrite: boolean;
}

const WRITES = /\b(insert|update|delete|merge|share|nextval|set_config)\b/i;
/** Rows of tables alone. A function of the schema, called in place of a table or as the first column, may write. */
const READS = /^\s*(?:select|with)\b(?!\s+\w+\s*\()[^]*\bfrom\s+(?:unnest|"\w+"|\w+\b(?!\s*\())/i;
const CALLS_FUNCTION_AS_TABLE = /\b(?:from|join|lateral)\s+(?!(?:unnest|lateral)\b)\w+\s*\(/i;

/** Remembers every text; the texts are constants of the code, so the map stays small. */
export class Statements {
  private readonly known = new Map<string, Statement>();

  of(text: string): Statement {
    let statement = this.known.get(text);
    if (!statement) {
      statement = { name: `s${this.known.size}`, text, mayWrite: mayWrite(text) };
      this.known.set(text, statement);
    }
    return statement;
  }
}

/** One whose text TypeORM makes: as many texts as there are shapes of calls, so none is kept, here or by PostgreSQL. */
export function unprepared(text: string): Statement {
  return { name: undefined, text, mayWrite: mayWrite(text) };
}

export function beginFor(statement: Statement): string {
  return statement.mayWrite ? 'BEGIN' : 'BEGIN READ ONLY';
}

function mayWrite(text: string): boolean {
  return WRITES.test(text) || !READS.test(text) || CALLS_FUNCTION_AS_TABLE.test(text);
}
