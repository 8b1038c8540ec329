import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useApi } from '../../../api/client';
import { Confirm } from '../../../ui';
import { useTenant } from '../tenant';
import { drop, type Filter, type Letter, replay } from './data';

/** Something that is about to be done to dead letters. */
export interface Act {
  readonly what: 'replay' | 'drop';
  readonly letters: readonly Letter[];
  /** It is done to all that fit it; undefined: to these alone. */
  readonly filter: Filter | undefined;
  /** More may fit than are known here. */
  readonly isCut: boolean;
}

interface ActDialogProps {
  readonly act: Act;
  /** Is told what was done. */
  readonly onDone: (said: string) => void;
  readonly onClose: () => void;
}

const NUMBER = new Intl.NumberFormat();
/** So many are dropped by a press; more ask for the count to be typed. */
const FEW = 1;

function counted(count: number): string {
  return count === 1 ? '1 dead letter' : `${NUMBER.format(count)} dead letters`;
}

/** Says how many it is about, asks, and does it. */
export function ActDialog({ act, onDone, onClose }: ActDialogProps): ReactNode {
  const { what, letters, filter, isCut } = act;
  const api = useApi();
  const queries = useQueryClient();
  const [tenantId = ''] = useTenant();
  const [dropped, setDropped] = useState(0);
  const run = async (): Promise<void> => {
    try {
      if (what === 'drop') {
        await drop(api, tenantId, letters, setDropped);
        onDone(`${counted(letters.length)} dropped.`);
      } else {
        const body = filter === undefined ? { ids: letters.map(({ id }) => id) } : { filter };
        onDone(`${counted(await replay(api, tenantId, body))} on the way again: each leaves this list once delivered.`);
      }
    } finally {
      await queries.invalidateQueries({ queryKey: ['letters', tenantId] });
    }
  };
  const isMany = what === 'drop' && letters.length > FEW;
  return (
    <Confirm
      title={`${what === 'drop' ? 'Drop' : 'Replay'} ${isCut ? 'at least ' : ''}${counted(letters.length)}?`}
      action={what === 'drop' ? 'Drop' : 'Replay'}
      name={isMany ? String(letters.length) : undefined}
      onConfirm={run}
      onClose={onClose}
    >
      {what === 'drop' ? <WhatDropDoes isCut={isCut} /> : <WhatReplayDoes isCut={isCut} />}
      {dropped > 0 && (
        <p role="status">
          {NUMBER.format(dropped)} of {NUMBER.format(letters.length)} dropped
        </p>
      )}
    </Confirm>
  );
}

function WhatDropDoes({ isCut }: { readonly isCut: boolean }): ReactNode {
  return (
    <>
      <p>They are not tried again, for good. What they are about stays: a message is still in its room.</p>
      {isCut && <p>There are more than this list has. Those that it has are dropped; then the next ones are shown.</p>}
    </>
  );
}

function WhatReplayDoes({ isCut }: { readonly isCut: boolean }): ReactNode {
  return (
    <p>
      Each is tried once more, with all its attempts, and stays here until it is delivered.
      {isCut && ' All that fit are tried, also those that this list has no place for.'}
    </p>
  );
}
