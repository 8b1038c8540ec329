import { useLocation } from 'wouter';
import { useSession } from '../../api/session';
import { useTheme } from '../../ui';
import { SECTIONS } from './sections';
import { type FoundTenants, useTenant } from './tenant';

/** Something that the palette offers. */
export interface Command {
  readonly id: string;
  readonly group: 'Pages' | 'Settings and keys of' | 'Look at' | 'This browser';
  readonly title: string;
  /** What tells it from others of its name. */
  readonly note?: string;
  readonly run: () => void;
}

/** More are not shown: a word more finds them. */
const MOST_TENANTS = 8;

/** What fits the words that were typed. Tenants come when there is a word. */
export function useCommands(text: string, found: FoundTenants | undefined): readonly Command[] {
  const [, navigate] = useLocation();
  const [tenant, choose] = useTenant();
  const { credential, tenantId, signOut } = useSession();
  const [, setTheme] = useTheme();
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (title: string): boolean => words.every((word) => title.toLowerCase().includes(word));
  const kept = tenant === undefined || tenantId !== undefined ? '' : `?tenant=${encodeURIComponent(tenant)}`;

  const pages = SECTIONS.filter(({ title }) => fits(title)).map(({ path, title }): Command => ({
    id: `page${path}`,
    group: 'Pages',
    title,
    run: () => navigate(path + kept),
  }));
  const tenants =
    words.length === 0 || credential.kind === 'admin'
      ? []
      : (found?.tenants ?? [])
          .filter(({ name, tenant_id: id }) => fits(name) || id === text.trim())
          .slice(0, MOST_TENANTS);
  const opened = tenants.map(({ tenant_id: id, name }): Command => ({
    ...{ id: `open-${id}`, group: 'Settings and keys of', title: name, note: id },
    run: () => navigate(`/tenants/${id}`),
  }));
  const chosen = tenants.map(({ tenant_id: id, name }): Command => ({
    ...{ id: `look-${id}`, group: 'Look at', title: name, note: 'on this page' },
    run: () => choose(id),
  }));
  if (tenant !== undefined && tenantId === undefined && fits('All tenants'))
    chosen.push({ id: 'look-all', group: 'Look at', title: 'All tenants', run: () => choose(undefined) });
  const browser = [
    ['Light colours', () => setTheme('light')],
    ['Dark colours', () => setTheme('dark')],
    ['Colours as the system has them', () => setTheme('system')],
    ['Sign out', () => signOut()],
  ] as const;
  const rest = browser
    .filter(([title]) => fits(title))
    .map(([title, run]): Command => ({ id: title, group: 'This browser', title, run }));
  return [...pages, ...opened, ...chosen, ...rest];
}
