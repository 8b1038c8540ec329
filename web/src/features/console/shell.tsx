import { type ReactNode, Suspense } from 'react';
import { Link, Redirect, Route, Switch, useLocation, useSearch } from 'wouter';
import { useSession } from '../../api/session';
import { Button, Choice, Empty, Loading, type Theme, useTheme } from '../../ui';
import { SECTIONS, type Section } from './sections';
import { TenantSwitch, useTenant } from './tenant';

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

/** Rail, top bar and the page that the address names. */
export function Shell(): ReactNode {
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <Rail />
      <TopBar />
      <main id="content" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Switch>
            {SECTIONS.map((section) => (
              <Route key={section.path} path={section.path === '/' ? '/' : `${section.path}/*?`}>
                <SectionPage section={section} />
              </Route>
            ))}
            <Route>
              <Redirect to="/" replace />
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}

function SectionPage({ section: { page: Page, needsTenant, title } }: { readonly section: Section }): ReactNode {
  const [tenant] = useTenant();
  if (needsTenant && tenant === undefined)
    return (
      <Empty title={`${title} of one tenant`}>
        <p>Choose a tenant at the top: this page is about one at a time.</p>
      </Empty>
    );
  return <Page />;
}

function Rail(): ReactNode {
  const [location] = useLocation();
  const tenant = new URLSearchParams(useSearch()).get('tenant');
  const query = tenant === null ? '' : `?tenant=${encodeURIComponent(tenant)}`;
  return (
    <nav className="rail" aria-label="Pages">
      <a className="brand" href="/">
        <img src="/favicon.svg" width="22" height="22" alt="" /> ChatAPI
      </a>
      {SECTIONS.map(({ path, title }) => {
        const isHere = path === '/' ? location === '/' : location.startsWith(path);
        return (
          <Link key={path} href={path + query} aria-current={isHere ? 'page' : undefined}>
            {title}
          </Link>
        );
      })}
    </nav>
  );
}

function TopBar(): ReactNode {
  const { name, signOut } = useSession();
  const [theme, setTheme] = useTheme();
  return (
    <header className="top-bar">
      <TenantSwitch />
      <div className="row">
        <Choice label="Theme" value={theme} options={THEMES} onValue={setTheme} />
        <span className="muted">{name}</span>
        <Button className="small" onClick={() => signOut()}>
          Sign out
        </Button>
      </div>
    </header>
  );
}
