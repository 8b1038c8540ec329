import { PATH_EXAMPLES } from '../nest';
import { buildDocument } from '../platform/http';
import { unopenedNest } from './unopened-nest';

/** docs/openapi.json: what Swagger UI shows, for code generators and for the response checks of the e2e suite. */
export async function openApiPage(): Promise<string> {
  return `${JSON.stringify(buildDocument(await unopenedNest(), PATH_EXAMPLES), null, 2)}\n`;
}
