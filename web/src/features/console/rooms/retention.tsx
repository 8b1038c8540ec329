import { type ReactNode, useState } from 'react';
import { Check, Choice, Confirm, FormDialog, TextField } from '../../../ui';
import { figure, roomName } from '../records/pieces';
import { type OneRoom, type RoomDetail, useRetain } from './data';

const MOST_DAYS = 3650;
const WHOLE = /^[1-9]\d{0,3}$/;

interface RetentionProps {
  readonly room: OneRoom;
  readonly detail: RoomDetail;
  readonly onClose: () => void;
}

/** How long a room keeps its messages, and whether it is held. What lets messages go is asked about once more. */
export function Retention({ room, detail, onClose }: RetentionProps): ReactNode {
  const [whose, setWhose] = useState<Whose>(detail.retention_days === null ? 'tenant' : 'own');
  const [typed, setTyped] = useState(String(detail.retention_days ?? ''));
  const [isHeld, setHeld] = useState(detail.legal_hold);
  const [isAsking, setAsking] = useState(false);
  const retain = useRetain(room);
  const days = whose === 'tenant' ? null : Number(typed);
  const isGood = whose === 'tenant' || (WHOLE.test(typed) && Number(typed) <= MOST_DAYS);
  const save = (): Promise<void> =>
    retain({
      ...(days !== detail.retention_days && { retention_days: days }),
      ...(isHeld !== detail.legal_hold && { legal_hold: isHeld }),
    });
  const submit = async (): Promise<void> => {
    if (letsGo(detail, days, isHeld)) {
      setAsking(true);
      return;
    }
    await save();
    onClose();
  };
  if (isAsking)
    return (
      <Confirm
        title={`Let messages of ${roomName(detail)} go?`}
        name={detail.name ?? detail.room_id}
        action="Save"
        onConfirm={save}
        onClose={onClose}
      >
        <WhatGoes detail={detail} days={days} isHeld={isHeld} />
      </Confirm>
    );
  const isChanged = days !== detail.retention_days || isHeld !== detail.legal_hold;
  return (
    <FormDialog title="Keep messages" action="Save" isReady={isGood && isChanged} onSubmit={submit} onClose={onClose}>
      <Days {...{ whose, typed, isGood }} onWhose={setWhose} onTyped={setTyped} />
      <Hold isHeld={isHeld} onHeld={setHeld} />
    </FormDialog>
  );
}

type Whose = 'tenant' | 'own';

interface DaysProps {
  readonly whose: Whose;
  readonly typed: string;
  readonly isGood: boolean;
  readonly onWhose: (whose: Whose) => void;
  readonly onTyped: (typed: string) => void;
}

function Days({ whose, typed, isGood, onWhose, onTyped }: DaysProps): ReactNode {
  return (
    <>
      <Choice
        label="Messages are kept"
        value={whose}
        options={[
          ['tenant', 'as the tenant says'],
          ['own', 'a number of days of this room’s own'],
        ]}
        onValue={onWhose}
      />
      {whose === 'own' && (
        <TextField
          label="Days"
          inputMode="numeric"
          autoComplete="off"
          value={typed}
          onValue={onTyped}
          fault={isGood || typed === '' ? undefined : 'A whole number from 1 to 3,650'}
          hint="1 to 3,650. Messages that are older are deleted within about an hour."
        />
      )}
    </>
  );
}

interface HoldProps {
  readonly isHeld: boolean;
  readonly onHeld: (isHeld: boolean) => void;
}

function Hold({ isHeld, onHeld }: HoldProps): ReactNode {
  return (
    <div className="stack">
      <Check label="Legal hold" isChecked={isHeld} onChecked={onHeld} />
      <p className="muted small">
        Under a hold nothing expires, whatever the days say; what is edited or deleted is kept as it was, shown to
        nobody.
      </p>
    </div>
  );
}

/** Whether messages may go that would have stayed. */
function letsGo(detail: RoomDetail, days: number | null, isHeld: boolean): boolean {
  if (isHeld) return false;
  return detail.legal_hold || days !== detail.retention_days;
}

interface WhatGoesProps {
  readonly detail: RoomDetail;
  readonly days: number | null;
  readonly isHeld: boolean;
}

function WhatGoes({ detail, days }: WhatGoesProps): ReactNode {
  const kept = Math.max(0, detail.last_seq - Math.max(detail.first_seq, 1) + 1);
  return (
    <>
      <p>
        <strong>
          {days === null
            ? 'Messages that are older than the tenant keeps any are deleted'
            : `Messages that are older than ${figure(days)} days are deleted`}
        </strong>{' '}
        within about an hour, out of {figure(kept)} that the room keeps for its {figure(detail.member_count)}{' '}
        {detail.member_count === 1 ? 'member' : 'members'}.
      </p>
      {detail.legal_hold && <p>The legal hold ends: what was edited or deleted under it goes, too.</p>}
      <p>What has gone is not brought back by more days.</p>
    </>
  );
}
