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
