import { useEffect, useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const STORE = 'chatapi.theme';

function stored(): Theme {
  const value = localStorage.getItem(STORE);
  return value === 'light' || value === 'dark' ? value : 'system';
}

/** Light, dark, or as the system has it; kept by this browser. */
export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  useEffect(() => {
    if (theme === 'system') {
      delete document.documentElement.dataset['theme'];
      localStorage.removeItem(STORE);
    } else {
      document.documentElement.dataset['theme'] = theme;
      localStorage.setItem(STORE, theme);
    }
  }, [theme]);
  return [theme, setTheme];
}
