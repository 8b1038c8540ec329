import { buildSocketDocument } from '../platform/realtime';
import { unopenedNest } from './unopened-nest';

/** docs/asyncapi.json: what /docs/ws shows, for code generators and for the frame checks of the e2e suite. */
export async function asyncApiPage(): Promise<string> {
  return `${JSON.stringify(buildSocketDocument(await unopenedNest()), null, 2)}\n`;
}
