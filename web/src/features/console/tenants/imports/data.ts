import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { type Api, bodyOf, type components, useApi } from '../../../../api/client';
import { type CursorList, useCursorList } from '../../work/cursor';

export type Import = components['schemas']['ImportDto'];
export type ImportFault = components['schemas']['ImportFaultDto'];
export type Source = Import['source'];
export type State = Import['state'];

type Tone = 'good' | 'warn' | 'bad';

export const STATES: Readonly<Record<State, readonly [tone: Tone, words: string]>> = {
  uploading: ['warn', 'file not whole yet'],
  validating: ['warn', 'being checked'],
  valid: ['good', 'checked, not started'],
  invalid: ['bad', 'has faults'],
  running: ['warn', 'being taken in'],
  done: ['good', 'done'],
  failed: ['bad', 'failed'],
};

export const SOURCES: Readonly<Record<Source, readonly [name: string, file: string, accept: string]>> = {
  chatapi: ['ChatAPI', 'An export of a tenant of this server or another one: a file that ends with .ndjson.gz.', '.gz'],
  slack: ['Slack', 'The archive that Slack’s export gives: a file that ends with .zip.', '.zip'],
  stream: ['Stream Chat', 'What Stream’s export gives: a file that ends with .json.', '.json,.gz'],
};

/** Rows of the list: each may have a thousand faults with it. */
const ROWS = 20;
const LIST_MS = 5000;
const ONE_MS = 1000;

export interface ImportRef {
  readonly tenantId: string;
  readonly importId: string;
}

export const pathOf = ({
  tenantId,
  importId,
}: ImportRef): { readonly tenant_id: string; readonly import_id: string } => ({
  tenant_id: tenantId,
  import_id: importId,
});

export function useImports(tenantId: string): CursorList<Import, components['schemas']['ImportsDto']> {
  const api = useApi();
  return useCursorList(
    ['imports', tenantId],
    (cursor) => {
      const query = { limit: ROWS, ...(cursor !== undefined && { cursor }) };
      return bodyOf(
        api.GET('/admin/tenants/{tenant_id}/imports', { params: { path: { tenant_id: tenantId }, query } }),
      );
    },
    LIST_MS,
  );
}

/** One of them, anew each second while something becomes of it. */
export function useImport(ref: ImportRef): UseQueryResult<Import> {
  const api = useApi();
  return useQuery({
    queryKey: ['import', ref.importId],
    queryFn: () => bodyOf(api.GET('/admin/tenants/{tenant_id}/imports/{import_id}', { params: { path: pathOf(ref) } })),
    refetchInterval: ({ state: { data } }) =>
      data === undefined || ['uploading', 'validating', 'running'].includes(data.state) ? ONE_MS : false,
  });
}

/** Reads what is shown of a tenant's imports anew after `act`, whether it went well or not. */
export function useImportActing({
  tenantId,
  importId,
}: ImportRef): (act: (api: Api) => Promise<unknown>) => Promise<void> {
  const api = useApi();
  const queries = useQueryClient();
  return async (act) => {
    try {
      await act(api);
    } finally {
      await Promise.all(
        [
          ['imports', tenantId],
          ['import', importId],
        ].map((queryKey) => queries.invalidateQueries({ queryKey })),
      );
    }
  };
}

const KINDS: Readonly<Record<string, readonly [one: string, many: string] | undefined>> = {
  channel: ['model channel', 'model channels'],
  preset: ['preset', 'presets'],
  user: ['user', 'users'],
  room: ['room', 'rooms'],
  member: ['member', 'members'],
  message: ['message', 'messages'],
  event: ['event of a room', 'events of rooms'],
  chat: ['chat with a model', 'chats with a model'],
  run: ['answer of a model', 'answers of models'],
  subscription: ['subscription to a topic', 'subscriptions to topics'],
};

/** What lines of a kind are called. */
export function kindWords(kind: string, count: number): string {
  const [one, many] = KINDS[kind] ?? [kind, kind];
  return count === 1 ? one : many;
}
