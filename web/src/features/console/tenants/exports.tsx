import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { bodyOf, type components, useApi } from '../../../api/client';
import { Badge, Button, Empty, FaultNote, Loading, Table, Time } from '../../../ui';
import { bytes } from '../live/format';
import { PAGE_ROWS, useCursorList } from '../work/cursor';

type Export = components['schemas']['ExportDto'];

const EVERY_MS = 3000;
const NUMBER = new Intl.NumberFormat();
const TONES = { queued: 'warn', running: 'warn', ready: 'good', failed: 'bad', expired: 'plain' } as const;

/** Files with all that the tenant has: ask for one, see how far it is, and download it. */
export function ExportsTab({ tenantId }: { readonly tenantId: string }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const [fault, setFault] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const key = ['exports', tenantId];
  const { items, error, onMore, isFetching } = useCursorList<Export, components['schemas']['ExportPageDto']>(
    key,
    (cursor) => {
      const query = { limit: PAGE_ROWS, ...(cursor !== undefined && { cursor }) };
      return bodyOf(
        api.GET('/admin/tenants/{tenant_id}/exports', { params: { path: { tenant_id: tenantId }, query } }),
      );
    },
    EVERY_MS,
  );
  const ask = (): void => {
    setBusy(true);
    setFault(undefined);
    api
      .POST('/admin/tenants/{tenant_id}/exports', { params: { path: { tenant_id: tenantId } } })
      .then(() => queries.invalidateQueries({ queryKey: key }), setFault)
      .finally(() => setBusy(false));
  };
  return (
    <section className="stack">
      <div className="page-head">
        <h2>Exports</h2>
        <Button tone="main" isBusy={isBusy} onClick={ask}>
          Export this tenant
        </Button>
      </div>
      {error !== null && <FaultNote fault={error} />}
      {fault !== undefined && <FaultNote fault={fault} />}
      {items === undefined && error === null && <Loading />}
      {items?.length === 0 && (
        <Empty title="No export yet">
          <p>
            An export is one file with all that the tenant has, but for secrets, as it is at one moment. It is written
            in the background, while the tenant goes on.
          </p>
        </Empty>
      )}
      {items !== undefined && items.length > 0 && (
        <Rows {...{ items, onMore, isFetching }} tenantId={tenantId} onFault={setFault} />
      )}
    </section>
  );
}

interface RowsProps {
  readonly tenantId: string;
  readonly items: readonly Export[];
  readonly onMore: (() => void) | undefined;
  readonly isFetching: boolean;
  readonly onFault: (fault: unknown) => void;
}

function Rows({ tenantId, items, onMore, isFetching, onFault }: RowsProps): ReactNode {
  const download = useDownload(tenantId);
  return (
    <Table
      label="Exports"
      rows={items}
      keyOf={({ export_id: id }) => id}
      onMore={onMore}
      isFetching={isFetching}
      columns={[
        { title: 'Asked for', cell: ({ created_at: at }) => <Time at={at} /> },
        {
          title: 'State',
          cell: ({ state, error }) => (
            <>
              <Badge tone={TONES[state]}>{state}</Badge>
              {error !== null && <div className="small">{error}</div>}
            </>
          ),
        },
        { title: 'Lines', isFigure: true, cell: ({ lines }) => (lines === null ? '–' : NUMBER.format(lines)) },
        { title: 'Size', isFigure: true, cell: (one) => bytes(one.bytes) },
        { title: 'Kept until', cell: ({ expires_at: at }) => <Time at={at} /> },
        {
          title: 'Actions',
          cell: ({ export_id: id, state }) =>
            state === 'ready' && (
              <Button
                className="small"
                aria-label={`Download ${id}`}
                onClick={() => {
                  onFault(undefined);
                  download(id).catch(onFault);
                }}
              >
                Download
              </Button>
            ),
        },
      ]}
    />
  );
}

/** Follows a link that is good once: the browser needs no key for it. */
function useDownload(tenantId: string): (exportId: string) => Promise<void> {
  const api = useApi();
  return async (exportId) => {
    const params = { path: { tenant_id: tenantId, export_id: exportId } };
    const { url } = await bodyOf(api.POST('/admin/tenants/{tenant_id}/exports/{export_id}/link', { params }));
    const link = document.createElement('a');
    link.href = new URL(url, location.origin).href;
    link.download = '';
    link.click();
  };
}
