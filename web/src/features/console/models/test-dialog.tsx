import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { bodyOf, useApi } from '../../../api/client';
import { Badge, Button, Dialog, FaultNote, Loading } from '../../../ui';
import type { Channel, Tested } from './data';
import { Faults } from './faults';

interface TestDialogProps {
  readonly channel: Channel;
  readonly onClose: () => void;
}

/** Asks a channel for one token, at once and whenever it is told to, and says what came. */
export function TestDialog({ channel, onClose }: TestDialogProps): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['channel test', channel.id],
    queryFn: async () => {
      const params = { path: { channelId: channel.id } };
      const tested = (await bodyOf(api.POST('/api/channels/{channelId}/test', { params }))).data;
      // What failed is one of the channel's faults now.
      if (!tested.ok) void queries.invalidateQueries({ queryKey: ['channels'] });
      return tested;
    },
    // Each costs a token: nothing but a click asks.
    ...{ gcTime: 0, staleTime: Infinity, retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false },
  });
  return (
    <Dialog title={`Test of ${channel.name}`} onClose={onClose}>
      {isFetching && <Loading what="Asking for one token" />}
      {!isFetching && error !== null && <FaultNote fault={error} />}
      {!isFetching && data !== undefined && <Outcome tested={data} />}
      <div className="actions">
        <Button onClick={onClose}>Close</Button>
        <Button tone="main" isBusy={isFetching} onClick={() => void refetch()}>
          Ask again
        </Button>
      </div>
    </Dialog>
  );
}

function Outcome({ tested: { ok, model, latencyMs, usage, error } }: { readonly tested: Tested }): ReactNode {
  return (
    <div className="stack" role="status">
      <p>
        <Badge tone={ok ? 'good' : 'bad'}>{ok ? 'works' : 'fails'}</Badge> {model} {ok ? 'answered' : 'was asked'}{' '}
        within {latencyMs} ms
        {usage !== null && ` (${usage.promptTokens} prompt + ${usage.completionTokens} answer tokens)`}.
      </p>
      {error !== null && <Faults faults={[error]} />}
    </div>
  );
}
