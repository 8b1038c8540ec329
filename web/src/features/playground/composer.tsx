import { type KeyboardEvent, type ReactNode, useId, useState } from 'react';
import { Button } from '../../ui';

interface ComposerProps {
  readonly label: string;
  /** In fewer words. */
  readonly placeholder: string;
  /** What was typed here before. */
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly onSend: (text: string) => void;
  readonly children?: ReactNode;
}

/** Enter sends, Shift+Enter begins a line. */
export function Composer({ label, placeholder, draft, onDraft, onSend, children }: ComposerProps): ReactNode {
  const [text, setText] = useState(draft);
  const id = useId();
  const change = (next: string): void => {
    setText(next);
    onDraft(next);
  };
  const send = (): void => {
    if (text.trim() === '') return;
    onSend(text);
    change('');
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label className="hidden-text" htmlFor={id}>
        {label}
      </label>
      <textarea
        id={id}
        rows={1}
        value={text}
        placeholder={placeholder}
        onChange={(event) => change(event.target.value)}
        onKeyDown={key}
      />
      {children}
      <Button type="submit" tone="main" disabled={text.trim() === ''}>
        Send
      </Button>
    </form>
  );
}
