import type { ReactNode } from 'react';
import { Route, Switch } from 'wouter';
import { useTenantId } from '../records/address';
import { RoomList } from './list';
import { RoomPage } from './room-page';
import { TracePage } from './trace';

/** The rooms of a tenant, one of them, or what became of one of its messages. */
export default function RoomsPage(): ReactNode {
  const tenantId = useTenantId();
  return (
    <Switch>
      <Route path="/rooms/:id/messages/:message">
        {({ id, message }) => <TracePage key={message} room={{ tenantId, roomId: id }} messageId={message} />}
      </Route>
      <Route path="/rooms/:id">{({ id }) => <RoomPage key={id} room={{ tenantId, roomId: id }} />}</Route>
      <Route>
        <RoomList key={tenantId} tenantId={tenantId} />
      </Route>
    </Switch>
  );
}
