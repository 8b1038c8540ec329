import { type ReactNode, useState } from 'react';
import { useApi } from '../../../../api/client';
import { Button, FaultNote } from '../../../../ui';
import { bytes } from '../../live/format';
import { isSameFile, markOf, resumeSending, send, type Sending, stopSending } from '../../sending';
import { FileField } from './begin';
import type { Import, ImportRef } from './data';

const WHOLE = 100;
const SHORT_HASH = 12;

interface FileStepProps {
  readonly importRef: ImportRef;
  readonly now: Import;
  readonly sending: Sending | undefined;
}

/** The file: on its way, there, or broken off. */
export function FileStep({ importRef, now, sending }: FileStepProps): ReactNode {
  const isWhole = now.state !== 'uploading';
  const isBad = !isWhole && sending?.state === 'failed';
  return (
    <li data-step={isWhole ? 'done' : isBad ? 'bad' : 'now'}>
      <h3>File</h3>
      {isWhole && <p>{wholeWords(now)}</p>}
      {!isWhole && sending !== undefined && <OnItsWay sending={sending} />}
      {!isWhole && sending === undefined && <BrokenOff importRef={importRef} now={now} />}
    </li>
  );
}

function wholeWords({ import_id: id, bytes: size, sha256 }: Import): string {
  const name = markOf(id)?.name ?? 'The file';
  if (size === null) return `${name} is there.`;
  return `${name} is there: ${bytes(size)}${sha256 === null ? '' : `, SHA-256 ${sha256.slice(0, SHORT_HASH)}…`}`;
}

function OnItsWay({ sending }: { readonly sending: Sending }): ReactNode {
  const { importId, fileName, size, sent, state, fault } = sending;
  const isMoving = state === 'sending' || state === 'waiting';
  return (
    <>
      <p>
        {fileName}: {bytes(sent)} of {bytes(size)} are there.{' '}
        {state === 'waiting' && 'The server does not take the next part now; it is tried again by itself.'}
        {isMoving && state !== 'waiting' && 'You may look at other pages; this tab has to stay open.'}
      </p>
      <progress value={sent} max={size} aria-label={`Of ${fileName}`}>
        {Math.floor((sent / size) * WHOLE)} %
      </progress>
      {fault !== undefined && <FaultNote fault={fault} />}
      <div className="row">
        {isMoving ? (
          <Button onClick={() => stopSending(importId)}>Stop sending</Button>
        ) : (
          <Button tone="main" onClick={() => resumeSending(importId)}>
            Go on sending
          </Button>
        )}
      </div>
    </>
  );
}

/** Nothing is sent by this tab: it was reloaded, or another one has begun. */
function BrokenOff({ importRef, now }: Pick<FileStepProps, 'importRef' | 'now'>): ReactNode {
  const api = useApi();
  const [file, setFile] = useState<File>();
  const mark = markOf(importRef.importId);
  if (mark === undefined)
    return (
      <p>
        {now.parts === 0 ? 'No part of it is there yet' : `${now.parts} parts of it are there`}. It is sent by another
        tab, or was broken off: then begin a new import. What was sent goes by itself after a week.
      </p>
    );
  const isOther = file !== undefined && !isSameFile(mark, file);
  return (
    <>
      <p>
        The page was loaded anew while {mark.name} was sent; {now.parts === 1 ? '1 part' : `${now.parts} parts`} of it{' '}
        {now.parts === 1 ? 'is' : 'are'} there. Choose the same file again, and it goes on from there.
      </p>
      <FileField label="The same file" file={file} onFile={setFile} />
      {isOther && <p className="warning">This is another file, or it was changed. Begin a new import with it.</p>}
      <div className="row">
        <Button
          tone="main"
          disabled={file === undefined || isOther}
          onClick={() => file !== undefined && send(api, importRef, file, now.parts)}
        >
          Go on sending
        </Button>
      </div>
    </>
  );
}
