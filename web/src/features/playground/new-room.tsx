import { type ReactNode, type SubmitEvent, useState } from 'react';
import { Button, Choice, Dialog, FaultNote, TextField } from '../../ui';
import type { Person } from './person';
import type { NewRoom as Body } from './rooms';

type Kind = Body['type'];

const KINDS: readonly (readonly [Kind, string])[] = [
  ['group', 'Group: for its members'],
  ['channel', 'Channel: whoever is in the tenant may join'],
  ['dm', 'Direct: with one other person'],
];

const list = (text: string): string[] => text.split(/[\s,]+/).filter((name) => name !== '');

export function NewRoom({ person, onClose }: { readonly person: Person; readonly onClose: () => void }): ReactNode {
  const [kind, setKind] = useState<Kind>('group');
  const [name, setName] = useState('');
  const [members, setMembers] = useState('');
  const [fault, setFault] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    const named = kind === 'dm' ? {} : { name: name.trim() };
    person.rooms.create({ type: kind, members: list(members), ...named }).then(
      (roomId) => {
        person.open({ kind: 'room', id: roomId });
        onClose();
      },
      (error: unknown) => {
        setFault(error);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={`New room of ${person.userId}`} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Choice label="Kind" value={kind} options={KINDS} onValue={setKind} />
        {kind !== 'dm' && <TextField label="Name" value={name} onValue={setName} autoComplete="off" />}
        <TextField
          label={kind === 'dm' ? 'With whom' : 'Members'}
          value={members}
          onValue={setMembers}
          autoComplete="off"
          hint={kind === 'dm' ? 'One user id.' : 'User ids with commas between; you are in it anyway.'}
        />
        {fault !== undefined && <FaultNote fault={fault} />}
        <div className="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="main" isBusy={isBusy}>
            Create
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
