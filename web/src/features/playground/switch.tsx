import type { ReactNode } from 'react';

interface SwitchProps {
  /** What is read out; `children` is what is seen. */
  readonly label: string;
  readonly isOn: boolean;
  readonly onSwitch: (isOn: boolean) => void;
  readonly tone?: 'good' | 'warn';
  readonly children: ReactNode;
}

export function Switch({ label, isOn, onSwitch, tone = 'good', children }: SwitchProps): ReactNode {
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      data-tone={tone}
      aria-checked={isOn}
      aria-label={label}
      onClick={() => onSwitch(!isOn)}
    >
      {children}
      <span className="knob" aria-hidden="true" />
    </button>
  );
}
