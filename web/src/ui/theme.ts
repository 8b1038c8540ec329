import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const STORE = 'chatapi.theme';
const listeners = new Set<() => void>();
let theme = stored();
apply();

function stored(): Theme {
  const value = localStorage.getItem(STORE);
  return value === 'light' || value === 'dark' ? value : 'system';
}

function apply(): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

function setTheme(next: Theme): void {
  theme = next;
  if (next === 'system') localStorage.removeItem(STORE);
  else localStorage.setItem(STORE, next);
  apply();
  for (const tell of listeners) tell();
}

function listen(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** Light, dark, or as the system has it; kept by this browser, and the same in all of the page. */
export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  return [useSyncExternalStore(listen, () => theme), setTheme];
}

/** Calls when the colours of the page are other ones: by the switch, or by the system. Returns what ends that. */
export function onColours(tell: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', tell);
  listeners.add(tell);
  return () => {
    system.removeEventListener('change', tell);
    listeners.delete(tell);
  };
}
