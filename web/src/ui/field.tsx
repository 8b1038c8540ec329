import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from 'react';

interface FieldProps {
  readonly label: string;
  /** What a good value is, in a few words. */
  readonly hint?: ReactNode;
  /** What is wrong with the value. */
  readonly fault?: string | undefined;
  readonly children: (ids: { readonly id: string; readonly describedBy: string | undefined }) => ReactNode;
}

/** A label, what is to be typed, and what is wrong with it. */
export function Field({ label, hint, fault, children }: FieldProps): ReactNode {
  const id = useId();
  const noteId = `${id}-note`;
  const note = fault ?? hint;
  return (
    <div className="field" data-fault={fault !== undefined}>
      <label htmlFor={id}>{label}</label>
      {children({ id, describedBy: note === undefined ? undefined : noteId })}
      {note !== undefined && (
        <p id={noteId} role={fault === undefined ? undefined : 'alert'}>
          {note}
        </p>
      )}
    </div>
  );
}

type Described = Pick<FieldProps, 'label' | 'hint' | 'fault'>;

interface TextFieldProps extends Described, Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'> {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

export function TextField({ label, hint, fault, value, onValue, ...rest }: TextFieldProps): ReactNode {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, describedBy }) => (
        <input
          type="text"
          {...rest}
          id={id}
          aria-describedby={describedBy}
          aria-invalid={fault !== undefined}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </Field>
  );
}

interface TextAreaProps extends Described, Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value' | 'onChange'> {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

export function TextArea({ label, hint, fault, value, onValue, ...rest }: TextAreaProps): ReactNode {
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, describedBy }) => (
        <textarea
          rows={4}
          {...rest}
          id={id}
          aria-describedby={describedBy}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </Field>
  );
}

interface ChoiceProps<T extends string> extends Described {
  readonly value: T;
  /** Value and what it is called. */
  readonly options: readonly (readonly [T, string])[];
  readonly onValue: (value: T) => void;
}

/** One of a few. */
export function Choice<T extends string>(props: ChoiceProps<T>): ReactNode {
  const { label, hint, fault, value, options, onValue } = props;
  return (
    <Field label={label} hint={hint} fault={fault}>
      {({ id, describedBy }) => (
        <select
          id={id}
          aria-describedby={describedBy}
          value={value}
          onChange={(event) => onValue(event.target.value as T)}
        >
          {options.map(([option, name]) => (
            <option key={option} value={option}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckProps {
  readonly label: string;
  readonly isChecked: boolean;
  readonly onChecked: (isChecked: boolean) => void;
}

export function Check({ label, isChecked, onChecked }: CheckProps): ReactNode {
  return (
    <label className="check">
      <input type="checkbox" checked={isChecked} onChange={(event) => onChecked(event.target.checked)} /> {label}
    </label>
  );
}
