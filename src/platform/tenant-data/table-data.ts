/** The steps of an erase, in their order, and what each has to do with the rows of the user. */
export const ERASE_STEPS = {
  chats: 'chats of the user: every row of theirs, with its room and messages',
  rooms: 'memberships end; a dm stays, its member renamed, closed to sends; names and metadata of the user are gone',
  delivery: 'cursors and dead letters of the user: the rows',
  reactions: 'reactions of the user: the rows, and what is shown of them; who pinned what is renamed',
  messages: 'own messages become tombstones: sender renamed, content, meta, client id and hash gone',
  notifications: 'deliveries and subscriptions of the user: the rows; the id is taken out of other targets',
  webhooks: 'deliveries that name the user: the rows',
  jobs: 'the id is replaced in what waits or was given up',
  idempotency: 'rows of the user; the id is replaced in results and paths of others',
  audit: 'the ref of the user means nobody; the addresses of their calls',
  usage: 'the figures stay; the id is replaced',
  events: 'the id is replaced in what rooms remember of their changes, names and metadata of the user are gone',
  transfer: 'every export of the tenant, and what is to be imported: the files; of exports about the user the rows',
  users: 'the row of the user, with the profile',
} as const;

export type EraseStepName = keyof typeof ERASE_STEPS;

/** Kinds of lines of a tenant's export, in their order. */
export const TENANT_LINES = [
  'tenant',
  'channel',
  'preset',
  'user',
  'room',
  'member',
  'event',
  'message',
  'chat',
  'run',
  'subscription',
] as const;

export type TenantLine = (typeof TENANT_LINES)[number];

/** Kinds of lines of the export of one user's data, in their order. */
export const USER_LINES = [
  'profile',
  'membership',
  'message',
  'version',
  'reaction',
  'cursor',
  'notification',
  'subscription',
  'chat',
  'answer',
  'usage',
] as const;

export type UserLine = (typeof USER_LINES)[number];

/** What a column can hold of a person. */
export type ColumnData = { readonly erasedBy: EraseStepName } | { readonly cannotHold: string };

export interface NotExported {
  readonly notExported: string;
}

/** The rank of a table whose rows outlive their tenant. */
export const NEVER = Number.POSITIVE_INFINITY;

/** What becomes of the rows of a table. */
export interface TableDeclaration {
  /**
   * When the rows of a tenant that is deleted go, lower ranks first: a table goes before those that it refers to. Those of
   * one rank do not refer to each other. NEVER: they stay.
   */
  readonly rank: number;
  /**
   * A condition of SQL: rows that the deletion itself stands on. They go in its last transaction, with the tenant's own row.
   * Default none.
   */
  readonly lastRows?: string;
  readonly exported: { readonly tenant: TenantLine | NotExported; readonly user: UserLine | NotExported };
  /** How long a row lives. */
  readonly kept: string;
  /** Every column that can hold text, JSON or bytes, and no other. */
  readonly columns: Readonly<Record<string, ColumnData>>;
}

/** Tables without a tenant: facts of the installation, which no deletion, export or erase is about. */
export const INSTALLATION_TABLES: Readonly<Record<string, string>> = {
  instance: 'one row: the epoch of the log, the names of the roles, what the start compares with',
  schema_functions: 'the functions of the schema as they were made',
  schema_migrations: 'the migrations that were run',
  server_minutes: 'what the servers did, by minutes, for seven days',
};

const declared = new Map<object, TableDeclaration>();

/** Declares the table of an entity. Each has one; a test says which has none, and which column is not named. */
export function TableData(declaration: TableDeclaration): (entity: object) => void {
  return (entity) => {
    declared.set(entity, declaration);
  };
}

/** Every table that is declared, by its entity: those whose module is loaded. */
export function tableData(): ReadonlyMap<object, TableDeclaration> {
  return declared;
}

/** The column may name a person or hold what they wrote: the step takes it away. */
export function erasedBy(step: EraseStepName): ColumnData {
  return { erasedBy: step };
}

/** The column holds nothing of a person. @param reason what it does hold */
export function cannotHold(reason: string): ColumnData {
  return { cannotHold: reason };
}

/** The column holds one word, or some, of a list that the server has. */
export const FIXED_WORD = cannotHold('words of a fixed list');

/** The column holds what an operator has set for the tenant. */
export const CONFIGURATION = cannotHold("the operator's configuration");

/** Rows of the table are not part of the export. @param reason why nobody misses them there */
export function notExported(reason: string): NotExported {
  return { notExported: reason };
}
