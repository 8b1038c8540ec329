import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { useSession } from '../../api/session';
import { Button, Choice, Empty, Icon, keepFocus, Loading, type Theme, useTheme } from '../../ui';
import { PageFault } from './page-fault';
import { Palette, usePaletteKeys } from './palette';
import { ReachNote } from './reach-note';
import { isOf, SECTIONS, type Section, usePage } from './sections';
import { SendingNote } from './sending-note';
import { TenantSwitch, useTenant, useTenants } from './tenant';

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'System colours'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];
const IS_MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Rail, top bar and the page that the address names. */
export function Shell(): ReactNode {
  const [isFinding, setFinding] = useState(false);
  const [location] = useLocation();
  usePaletteKeys(useCallback(() => setFinding((before) => !before), []));
  useFocusOfPages();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <Rail />
      <header className="top-bar">
        <TenantSwitch onFind={() => setFinding(true)} />
        <Button className="find" aria-keyshortcuts="Control+K Meta+K" onClick={() => setFinding(true)}>
          <Icon name="search" /> Go to <kbd>{IS_MAC ? '⌘K' : 'Ctrl K'}</kbd>
        </Button>
      </header>
      <main id="content" tabIndex={-1}>
        <ReachNote />
        <SendingNote />
        <PageFault place={location}>
          <Pages />
        </PageFault>
      </main>
      {isFinding && <Palette onClose={() => setFinding(false)} />}
    </div>
  );
}

/** A link that leads away from its page goes with it: the focus is on the next page then. */
function useFocusOfPages(): void {
  const [location] = useLocation();
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) keepFocus();
    isFirst.current = false;
  }, [location]);
}

function Pages(): ReactNode {
  return (
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
  );
}

function SectionPage({ section }: { readonly section: Section }): ReactNode {
  const { needsTenant, title } = section;
  const [tenant] = useTenant();
  const page = usePage(section);
  useEffect(() => {
    document.title = `${title} · ChatAPI console`;
  }, [title]);
  if (needsTenant && tenant === undefined) return <ChooseTenant title={title} />;
  return page ?? <Loading />;
}

/** So many are offered at once; the switch at the top has all of them. */
const MOST_OFFERED = 12;

/** What a page shows that is about one tenant at a time, as long as none is chosen. */
function ChooseTenant({ title }: { readonly title: string }): ReactNode {
  const tenants = useTenants();
  const [, choose] = useTenant();
  return (
    <>
      <div className="page-head">
        <h1>{title}</h1>
      </div>
      <Empty title={`${title} of one tenant`}>
        <p>This page is about one tenant at a time. Choose it here or at the top.</p>
        <div className="row offered">
          {tenants.slice(0, MOST_OFFERED).map(({ tenant_id: id, name }) => (
            <Button key={id} className="named" onClick={() => choose(id)}>
              {name}
            </Button>
          ))}
        </div>
      </Empty>
    </>
  );
}

function Rail(): ReactNode {
  const [location] = useLocation();
  const { tenantId } = useSession();
  const [tenant] = useTenant();
  const query = tenant === undefined || tenantId !== undefined ? '' : `?tenant=${encodeURIComponent(tenant)}`;
  return (
    <aside className="rail" aria-label="ChatAPI">
      <a className="brand" href="/">
        <img src="/favicon.svg" width="22" height="22" alt="" /> ChatAPI
      </a>
      <nav aria-label="Pages">
        {SECTIONS.map((section) => (
          <Link
            key={section.path}
            href={section.path + query}
            aria-current={isOf(section, location) ? 'page' : undefined}
          >
            <Icon name={section.icon ?? 'page'} /> {section.title}
          </Link>
        ))}
      </nav>
      <RailFoot />
    </aside>
  );
}

/** Who is signed in, and how the pages look. */
function RailFoot(): ReactNode {
  const { name, credential, signOut } = useSession();
  const [theme, setTheme] = useTheme();
  return (
    <div className="rail-foot">
      <p className="who">
        <strong>{name}</strong>
        <span className="muted small">
          {credential.kind === 'master' ? 'with the master key' : 'with an admin key'}
        </span>
      </p>
      <Choice label="Colours" value={theme} options={THEMES} onValue={setTheme} />
      <Button className="small" onClick={() => signOut()}>
        <Icon name="out" /> Sign out
      </Button>
    </div>
  );
}
