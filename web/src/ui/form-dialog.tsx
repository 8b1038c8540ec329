import { type ReactNode, type SubmitEvent, useState } from 'react';
import { Button } from './button';
import { Dialog } from './dialog';
import { FaultNote } from './notes';

interface FormDialogProps {
  readonly title: string;
  /** What its button says. */
  readonly action: string;
  readonly tone?: 'main' | 'danger';
  /** Whether what is typed can be sent. */
  readonly isReady?: boolean;
  /** Sends it. What is shown afterwards is the business of whoever opened the window. */
  readonly onSubmit: () => Promise<unknown>;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A window with something to type. What failed is said in it, and what was typed stays. */
export function FormDialog(props: FormDialogProps): ReactNode {
  const { title, action, tone = 'main', isReady = true, onSubmit, onClose, children } = props;
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    onSubmit()
      .catch(setFault)
      .finally(() => setBusy(false));
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        {children}
        {fault !== undefined && <FaultNote fault={fault} />}
        <div className="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone={tone} isBusy={isBusy} disabled={!isReady}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
