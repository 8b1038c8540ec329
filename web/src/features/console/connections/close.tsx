import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useApi } from '../../../api/client';
import { Choice, FormDialog } from '../../../ui';
import { counted } from '../records/pieces';
import type { Connection } from './data';

export const CODES = [
  ['1013', '1013 · try again later'],
  ['4003', '4003 · the credential has ended'],
  ['4004', '4004 · not allowed'],
] as const;
export type Code = (typeof CODES)[number][0];

/** What clients do by a code. */
export const THEN: Readonly<Record<Code, string>> = {
  1013: 'Its client comes back by itself, at once.',
  4003: 'Its client gets another credential, and comes back with it.',
  4004: 'Its client stops. Nothing refuses it, should it come back all the same: to keep a user out, revoke the key or take them out of the room.',
};

interface CloseProps {
  readonly tenantId: string;
  readonly connection: Connection;
  readonly onClose: () => void;
}

/** Closes a socket, with the code that tells its client what to do. */
export function CloseConnection({ tenantId, connection, onClose }: CloseProps): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const [code, setCode] = useState<Code>('1013');
  const close = async (): Promise<void> => {
    const path = { connection_id: connection.connection_id };
    await api.DELETE('/admin/connections/{connection_id}', { params: { path, query: { tenant_id: tenantId, code } } });
    await queries.invalidateQueries({ queryKey: ['connections', tenantId] });
    onClose();
  };
  return (
    <FormDialog
      {...{ title: `Close this connection of ${connection.user_id}?`, action: 'Close the connection', tone: 'danger' }}
      onSubmit={close}
      onClose={onClose}
    >
      <p>
        <strong>1 connection is closed</strong>; it hears of {counted(connection.rooms, 'room')}. Nothing that was sent
        is lost: who comes back catches up.
      </p>
      <Choice label="Code" value={code} options={CODES} onValue={setCode} hint={THEN[code]} />
    </FormDialog>
  );
}
