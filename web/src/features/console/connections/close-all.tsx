import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { type Api, ApiFault, bodyOf, useApi } from '../../../api/client';
import { Choice, FormDialog, Loading } from '../../../ui';
import { counted, figure } from '../records/pieces';
import { CODES, type Code, THEN } from './close';
import type { Connection } from './data';

const PAGE = 100;
const MOST_PAGES = 20;
const NOT_FOUND = 404;

interface CloseAllProps {
  readonly tenantId: string;
  readonly userId: string;
  readonly onClose: () => void;
}

/** All open connections of a user, as far as they can be looked through. */
function useAll(tenantId: string, userId: string): UseQueryResult<readonly Connection[]> {
  const api = useApi();
  return useQuery({
    queryKey: ['connections', tenantId, 'all of', userId],
    queryFn: async () => {
      const all: Connection[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < MOST_PAGES; page++) {
        const query = { tenant_id: tenantId, user_id: userId, limit: PAGE, ...(cursor !== undefined && { cursor }) };
        const { items, next } = await bodyOf(api.GET('/admin/connections', { params: { query } }));
        all.push(...items);
        if (next === null) break;
        cursor = next;
      }
      return all;
    },
    staleTime: 0,
  });
}

/** Closes whatever a user has open, with the code that tells their clients what to do. */
export function CloseAll({ tenantId, userId, onClose }: CloseAllProps): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const { data } = useAll(tenantId, userId);
  const [code, setCode] = useState<Code>('1013');
  const [closed, setClosed] = useState(0);
  const close = async (): Promise<void> => {
    for (const [index, { connection_id: id }] of (data ?? []).entries()) {
      await closeOne(api, tenantId, id, code);
      setClosed(index + 1);
    }
    await queries.invalidateQueries({ queryKey: ['connections', tenantId] });
    onClose();
  };
  const count = data?.length ?? 0;
  return (
    <FormDialog
      {...{ title: `Close all connections of ${userId}?`, action: 'Close them', tone: 'danger' }}
      isReady={count > 0}
      onSubmit={close}
      onClose={onClose}
    >
      {data === undefined ? (
        <Loading what="Counting them" />
      ) : (
        <p>
          <strong>
            {counted(count, 'connection')} {count === 1 ? 'is' : 'are'} closed.
          </strong>{' '}
          Nothing that was sent is lost: who comes back catches up.
        </p>
      )}
      <Choice label="Code" value={code} options={CODES} onValue={setCode} hint={THEN[code]} />
      <p role="status" className="muted small">
        {closed > 0 && `${figure(closed)} of ${figure(count)} are closed.`}
      </p>
    </FormDialog>
  );
}

async function closeOne(api: Api, tenantId: string, connectionId: string, code: Code): Promise<void> {
  const params = { path: { connection_id: connectionId }, query: { tenant_id: tenantId, code } };
  try {
    await api.DELETE('/admin/connections/{connection_id}', { params });
  } catch (error) {
    // It went by itself meanwhile.
    if (!(error instanceof ApiFault) || error.status !== NOT_FOUND) throw error;
  }
}
