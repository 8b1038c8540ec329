import { type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { Button } from './button';
import { TextField } from './field';
import { keepFocus } from './focus';
import { FaultNote } from './notes';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Escape and a press beside it do not close it: what is in it would be lost. */
  readonly isFirm?: boolean;
  readonly children: ReactNode;
}

/** A modal window: the browser's own, so focus and Escape are its business. It is open as long as it is rendered. */
export function Dialog({ title, onClose, isFirm = false, children }: DialogProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // A text that is marked from within to beside the window ends as a click on the dialog itself.
  const isPressedBeside = useRef(false);
  const id = useId();
  // Before it leaves the page: a window that is closed gives the focus back to what opened it, one that is removed does not.
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  useEffect(() => keepFocus, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!isFirm) onClose();
      }}
      onClose={() => {
        // A second Escape closes it without asking; where it has to stay, it is opened again.
        if (dialog.current === null || dialog.current.open) return;
        if (isFirm) dialog.current.showModal();
        else onClose();
      }}
      onPointerDown={(event) => {
        isPressedBeside.current = event.target === dialog.current;
      }}
      onClick={(event) => {
        if (!isFirm && isPressedBeside.current && event.target === dialog.current) onClose();
      }}
    >
      <div className="dialog">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  readonly title: string;
  /** What will happen, in numbers where there are any. */
  readonly children: ReactNode;
  /** What has to be typed; undefined: a press is enough. */
  readonly name?: string | undefined;
  readonly action: string;
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before something is done that cannot be undone. Closes when it is done; what failed is said in it. */
export function Confirm({ title, children, name, action, onConfirm, onClose }: ConfirmProps): ReactNode {
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const confirm = (): void => {
    setBusy(true);
    setFault(undefined);
    onConfirm().then(onClose, (error: unknown) => {
      setFault(error);
      setBusy(false);
    });
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="stack">{children}</div>
      {name !== undefined && (
        <TextField label={`Type ${name} to confirm`} value={typed} onValue={setTyped} autoComplete="off" />
      )}
      {fault !== undefined && <FaultNote fault={fault} />}
      <div className="actions">
        <Button onClick={onClose}>Cancel</Button>
        <Button tone="danger" isBusy={isBusy} disabled={name !== undefined && typed !== name} onClick={confirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
