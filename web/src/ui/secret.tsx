import { type ReactNode, useState } from 'react';
import { Button, CopyButton } from './button';
import { Dialog } from './dialog';

/** A text to copy as it stands: a command, a key. */
export function Copyable({ text, what }: { readonly text: string; readonly what: string }): ReactNode {
  return (
    <div className="copyable">
      <pre tabIndex={0} role="region" aria-label={what}>
        {text}
      </pre>
      <CopyButton text={text} label="Copy" />
    </div>
  );
}

const SHOWN_MS = 1500;

/** Of a node's UUID: the beginning is its time, which those that were started together share. */
const NODE_CHARS = 8;

/** A server of the installation: as the operator calls it, else enough of its id to tell it from the others. */
export function NodeLabel({ id, name }: { readonly id: string; readonly name?: string | null }): ReactNode {
  return <code title={id}>{name ?? id.slice(-NODE_CHARS)}</code>;
}

/** An id: pressed, it is in the clipboard. */
export function Id({ id }: { readonly id: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(id).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), SHOWN_MS);
      },
      () => undefined,
    );
  };
  return (
    <button type="button" className="id" title="Copy" data-copied={isCopied} onClick={copy}>
      <code>{id}</code>
      <span className="hidden-text" role="status">
        {isCopied ? 'Copied' : ''}
      </span>
    </button>
  );
}

interface SecretOnceProps {
  readonly title: string;
  readonly what: string;
  readonly secret: string;
  /** What to do with it. */
  readonly children?: ReactNode;
  readonly onClose: () => void;
}

/** Shows what the server shows only once. It closes by its button alone: a slip would lose it. */
export function SecretOnce({ title, what, secret, children, onClose }: SecretOnceProps): ReactNode {
  return (
    <Dialog title={title} isFirm onClose={onClose}>
      <p>
        Copy it now and keep it where your back end reads its secrets: <strong>it is not shown again.</strong>
      </p>
      <Copyable text={secret} what={what} />
      {children}
      <div className="actions">
        <Button tone="main" onClick={onClose}>
          I have kept it
        </Button>
      </div>
    </Dialog>
  );
}
