import { type ReactNode, useEffect } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { forgetSendings, type Sending, useSendings } from './sending';

const WHOLE = 100;

/** Says on every page but its own that a file is sent, and how far it is. */
export function SendingNote(): ReactNode {
  const sendings = useSendings();
  const [location] = useLocation();
  const [search] = useSearchParams();
  useEffect(() => forgetSendings, []);
  const elsewhere = [...sendings.values()].filter(
    ({ tenantId, importId }) => location !== `/tenants/${tenantId}/imports` || search.get('import') !== importId,
  );
  return elsewhere.map((sending) => (
    <p key={sending.importId} className="sending-note">
      <span>{wordsOf(sending)}</span>{' '}
      <Link href={`/tenants/${sending.tenantId}/imports?import=${sending.importId}`}>Look at it</Link>
    </p>
  ));
}

function wordsOf({ fileName, size, sent, state }: Sending): string {
  const far = `${Math.floor((sent / size) * WHOLE)} %`;
  if (state === 'failed') return `${fileName} could not be sent: it stands at ${far}.`;
  if (state === 'stopped') return `Sending ${fileName} was stopped at ${far}.`;
  return `Sending ${fileName} for an import: ${far}${state === 'waiting' ? ', waiting for the server' : ''}.`;
}
