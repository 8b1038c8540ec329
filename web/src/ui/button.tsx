import { type ButtonHTMLAttributes, type ReactNode, useState } from 'react';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly tone?: 'plain' | 'main' | 'danger' | 'quiet';
  /** Under way: it cannot be pressed again. */
  readonly isBusy?: boolean;
}

export function Button({ tone = 'plain', isBusy = false, className = '', disabled, ...rest }: ButtonProps): ReactNode {
  return (
    <button
      type="button"
      {...rest}
      className={`button ${className}`}
      data-tone={tone}
      aria-busy={isBusy}
      disabled={disabled === true || isBusy}
    />
  );
}

interface IconButtonProps extends ButtonProps {
  /** What it does: its only words. */
  readonly label: string;
}

export function IconButton({ label, children, ...rest }: IconButtonProps): ReactNode {
  return (
    <Button tone="quiet" {...rest} className="icon" aria-label={label} title={label}>
      {children}
    </Button>
  );
}

const SHOWN_MS = 1500;

interface CopyButtonProps {
  /** A function where it is long to make. */
  readonly text: string | (() => string);
  readonly label?: string;
}

/** Puts a text into the clipboard, and says so. */
export function CopyButton({ text, label = 'Copy' }: CopyButtonProps): ReactNode {
  const [said, setSaid] = useState<string>();
  const copy = (): void => {
    navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => setSaid('Copied'),
      () => setSaid('Select it'),
    );
    setTimeout(() => setSaid(undefined), SHOWN_MS);
  };
  return (
    <Button onClick={copy} className="small">
      <span role="status">{said ?? label}</span>
    </Button>
  );
}
