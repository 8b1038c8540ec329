import { type ReactNode, type SubmitEvent, useEffect, useState } from 'react';
import { faultOf } from '../../api/client';
import { Button, Choice, FaultNote, Loading, TextArea, TextField } from '../../ui';
import type { Connection, Data } from '../../socket';
import { type AsyncApi, badFrames, type FrameField, type FrameKind, frameKinds, frameOf } from './frame-form-model';
import type { Endpoint, FrameLog, FrameRecord } from './frame-log';
import type { Person } from './person';
import { useChanges } from './use-changes';

const RAW = 'as it stands';
const NAMES_OF_BAD_FRAMES = [...badFrames('').keys()];
const ENDPOINTS: readonly (readonly [Endpoint, string])[] = [
  ['/ws', '/ws'],
  ['/ws/chat', '/ws/chat: the chat that is open'],
];

/** What is to be sent: it outlives the form, which is not there while frames are looked at. */
export interface FrameDraft {
  readonly kind: string;
  readonly endpoint: Endpoint;
  readonly values: Readonly<Record<string, string>>;
  readonly raw: string;
}

export const NEW_DRAFT: FrameDraft = { kind: 'send_message', endpoint: '/ws', values: {}, raw: '{"type":"ping"}' };

/** The frame that was sent, to be changed and sent again. */
export function draftOf({ endpoint, text }: FrameRecord): FrameDraft {
  return { kind: RAW, endpoint, values: {}, raw: text };
}

let document: Promise<AsyncApi> | undefined;

function readDocument(): Promise<AsyncApi> {
  document ??= fetch('/asyncapi.json').then(async (answer) => {
    if (!answer.ok) throw await faultOf(answer);
    return (await answer.json()) as AsyncApi;
  });
  // What failed is asked for again.
  document.catch(() => (document = undefined));
  return document;
}

interface FrameFormProps {
  readonly people: readonly Person[];
  readonly log: FrameLog;
  readonly draft: FrameDraft;
  readonly onDraft: (draft: FrameDraft) => void;
}

/** Sends any frame as one of the people, good or bad, and shows what is answered. */
export function FrameForm(props: FrameFormProps): ReactNode {
  const [kinds, setKinds] = useState<readonly FrameKind[]>();
  const [fault, setFault] = useState<unknown>();
  useEffect(() => {
    readDocument().then((read) => setKinds(frameKinds(read)), setFault);
  }, []);
  if (fault !== undefined) return <FaultNote fault={fault} />;
  if (kinds === undefined) return <Loading what="Reading /asyncapi.json" />;
  return <Form {...props} kinds={kinds} />;
}

interface Sent {
  /** Frames that were written down before it. */
  readonly n: number;
  readonly person: string;
  readonly requestId: string | undefined;
}

interface Target {
  readonly person: Person | undefined;
  readonly connection: Connection | undefined;
  /** The room that the person looks at. */
  readonly room: string;
  readonly choose: (userId: string) => void;
}

/** Whose socket it is sent on. */
function useTarget(people: readonly Person[], endpoint: Endpoint): Target {
  const [name, choose] = useState('');
  const person = people.find(({ userId }) => userId === name) ?? people[0];
  const connection = endpoint === '/ws' ? person?.client.connection : person?.chats.current?.connection;
  return { person, connection, room: person?.opened?.kind === 'room' ? person.opened.id : '', choose };
}

function Form({
  people,
  log,
  draft,
  onDraft,
  kinds,
}: FrameFormProps & { readonly kinds: readonly FrameKind[] }): ReactNode {
  useChanges(log.changes);
  const [sent, setSent] = useState<Sent>();
  const kind = kinds.find((one) => one.name === draft.kind);
  const endpoint = kind?.endpoint ?? draft.endpoint;
  const { person, connection, room, choose } = useTarget(people, endpoint);
  const values = { room_id: room, ...draft.values };
  const text = kind === undefined ? draft.raw : JSON.stringify(frameOf(kind, values));
  const isOpen = connection?.isOpen === true;
  const send = (data: Data, type: string): void => {
    if (person === undefined || connection === undefined) return;
    setSent({ n: log.total, person: person.userId, requestId: requestIdOf(data) });
    connection.sendData(data, type);
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    send(text, kind?.name.replace(/^chat\./, '') ?? 'raw');
  };
  return (
    <form className="frame-form stack" onSubmit={submit}>
      <Chosen
        people={people}
        person={person}
        kinds={kinds}
        draft={draft}
        onPerson={choose}
        onKind={(next) => onDraft({ ...draft, kind: next, ...(next === RAW && { raw: text, endpoint }) })}
      />
      {kind === undefined ? (
        <RawFields draft={draft} onDraft={onDraft} />
      ) : (
        <Fields kind={kind} values={values} text={text} draft={draft} onDraft={onDraft} />
      )}
      <div className="actions">
        {!isOpen && <NotOpen endpoint={endpoint} />}
        <Button type="submit" tone="main" disabled={!isOpen}>
          Send frame
        </Button>
      </div>
      {sent !== undefined && <Answer log={log} sent={sent} />}
      <BadFrames isDisabled={!isOpen} onSend={(bad) => send(badFrames(room).get(bad) ?? '', 'bad')} />
    </form>
  );
}

interface ChosenProps extends Pick<FrameFormProps, 'people' | 'draft'> {
  readonly person: Person | undefined;
  readonly kinds: readonly FrameKind[];
  readonly onPerson: (userId: string) => void;
  readonly onKind: (name: string) => void;
}

function Chosen({ people, person, kinds, draft, onPerson, onKind }: ChosenProps): ReactNode {
  return (
    <div className="two">
      <Choice
        label="As"
        value={person?.userId ?? ''}
        options={people.map(({ userId }) => [userId, userId] as const)}
        onValue={onPerson}
      />
      <Choice
        label="Frame"
        value={draft.kind}
        options={[...kinds.map((one) => [one.name, one.name] as const), [RAW, 'Text as it stands']]}
        onValue={onKind}
      />
    </div>
  );
}

function NotOpen({ endpoint }: { readonly endpoint: Endpoint }): ReactNode {
  return (
    <p className="muted small" role="status">
      {endpoint === '/ws/chat' ? 'Open a chat of this person first.' : 'This person is not connected now.'}
    </p>
  );
}

interface FieldsProps extends Pick<FrameFormProps, 'draft' | 'onDraft'> {
  readonly kind: FrameKind;
  readonly values: Readonly<Record<string, string>>;
  /** What they make. */
  readonly text: string;
}

function Fields({ kind, values, text, draft, onDraft }: FieldsProps): ReactNode {
  return (
    <>
      <p className="muted small">{kind.summary}</p>
      {kind.fields.map((field) => (
        <FieldOf
          key={field.name}
          field={field}
          value={values[field.name] ?? ''}
          onValue={(value) => onDraft({ ...draft, values: { ...draft.values, [field.name]: value } })}
        />
      ))}
      <pre tabIndex={0} aria-label="The frame that will be sent" className="wrapped">
        {text}
      </pre>
    </>
  );
}

function requestIdOf(data: Data): string | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const { request_id: id } = JSON.parse(data) as { readonly request_id?: unknown };
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

function RawFields({ draft, onDraft }: Pick<FrameFormProps, 'draft' | 'onDraft'>): ReactNode {
  return (
    <>
      <Choice
        label="Socket"
        value={draft.endpoint}
        options={ENDPOINTS}
        onValue={(endpoint) => onDraft({ ...draft, endpoint })}
      />
      <TextArea
        label="Text"
        className="mono"
        rows={8}
        spellCheck={false}
        value={draft.raw}
        onValue={(raw) => onDraft({ ...draft, raw })}
        hint="Sent as it stands, also where it is no JSON."
      />
    </>
  );
}

interface FieldOfProps {
  readonly field: FrameField;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function FieldOf({ field: { name, kind, isRequired, hint, options }, value, onValue }: FieldOfProps): ReactNode {
  const label = isRequired ? name : `${name} (may be left out)`;
  if (kind === 'choice')
    return (
      <Choice
        label={label}
        hint={hint}
        value={value}
        options={[['', 'left out'], ...options.map((option) => [option, option] as const)]}
        onValue={onValue}
      />
    );
  if (kind === 'json')
    return (
      <TextArea
        label={label}
        hint={hint}
        rows={2}
        className="mono"
        spellCheck={false}
        value={value}
        onValue={onValue}
      />
    );
  return <TextField label={label} hint={hint} value={value} onValue={onValue} autoComplete="off" spellCheck={false} />;
}

/** What came back: by the request id, or an error that can name none. */
function Answer({ log, sent: { n, person, requestId } }: { readonly log: FrameLog; readonly sent: Sent }): ReactNode {
  const answer = log.answerTo(n, person, requestId);
  if (answer === undefined)
    return (
      <p className="muted small" role="status">
        Sent. Nothing is refused so far{requestId === undefined && '; with a request_id its answer stands here'}.
      </p>
    );
  const isBad = answer.type === 'error' || answer.direction === 'state';
  return (
    <div className="frame-answer" role={isBad ? 'alert' : 'status'} data-bad={isBad}>
      <strong>{answer.direction === 'state' ? 'The connection was closed' : answer.type}</strong>
      <code>{answer.text}</code>
    </div>
  );
}

interface BadFramesProps {
  readonly isDisabled: boolean;
  readonly onSend: (name: string) => void;
}

function BadFrames({ isDisabled, onSend }: BadFramesProps): ReactNode {
  return (
    <section className="stack" aria-labelledby="bad-frames">
      <h3 id="bad-frames">Bad frames</h3>
      <p className="muted small">Each is refused with one error, and the connection stays; unless it says otherwise.</p>
      <div className="row">
        {NAMES_OF_BAD_FRAMES.map((name) => (
          <Button key={name} className="small" disabled={isDisabled} onClick={() => onSend(name)}>
            {name}
          </Button>
        ))}
      </div>
    </section>
  );
}
