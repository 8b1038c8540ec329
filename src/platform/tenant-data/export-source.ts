import { encodeId, type IdKind } from '../../common/ids';
import type { Snapshot } from '../database';
import { markMethod } from '../discovery';
import type { TenantLine, UserLine } from './table-data';

/**
 * Lines of one kind, some at a time, each with the fields of its kind: no other, none missing (the format is
 * src/modules/transfer). Nothing is asked of the database before it is asked for here.
 */
export type ExportPages = AsyncIterable<readonly object[]>;

/** Kinds of lines that stand with their room, in their order. Their sources are asked once for each room. */
export const ROOM_LINES = ['member', 'event', 'message', 'chat', 'run'] as const satisfies readonly TenantLine[];

type MethodOf<M> = (target: object, property: string | symbol, descriptor: { readonly value?: M }) => void;

/** Gives lines of a tenant's export. @param roomId UUID, for the kinds of ROOM_LINES; of the others '' */
export type TenantSource = (snapshot: Snapshot, roomId: string) => ExportPages;
/** Gives lines of the export of one user's data. */
export type UserSource = (snapshot: Snapshot, userId: string) => ExportPages;

export const TENANT_SOURCE = Symbol('@TenantExport');
export const USER_SOURCE = Symbol('@UserExport');

/** Makes a method the source of a kind of lines of tenants' exports. Each kind has one, or the server does not start. */
export function TenantExport(kind: TenantLine): MethodOf<TenantSource> {
  return (_target, _property, descriptor) => markMethod(TENANT_SOURCE, kind)(descriptor);
}

/** The same for the export of one user's data. */
export function UserExport(kind: UserLine): MethodOf<UserSource> {
  return (_target, _property, descriptor) => markMethod(USER_SOURCE, kind)(descriptor);
}

/** The same rows with ids as clients know them. @param ids which columns hold UUIDs, and of what; null stays */
export async function* withIds<R extends object>(
  pages: AsyncIterable<readonly R[]>,
  ids: Readonly<Partial<Record<keyof R, IdKind>>>,
): ExportPages {
  const columns = Object.entries(ids) as [keyof R, IdKind][];
  for await (const rows of pages)
    yield rows.map((row) => {
      const shown: Partial<Record<keyof R, unknown>> = { ...row };
      for (const [column, kind] of columns) {
        const id = row[column];
        if (typeof id === 'string') shown[column] = encodeId(kind, id);
      }
      return shown;
    });
}
