import type { App } from './app';
import { encodeId } from './common/ids';
import { VERSION } from './common/version';
import { DEMO } from './modules/admin';

/** What a person needs after a start; keys are shown on the very first one only. */
export function banner(app: App): string {
  const { url } = app;
  const lines = [
    '',
    `ChatAPI listens on ${url}`,
    '',
    `  Version      ${VERSION}`,
    `  Swagger UI   ${url}/docs`,
    `  OpenAPI      ${url}/docs-json`,
    `  Socket       ${url.replace(/^http/, 'ws')}/ws and /ws/chat (frames: ${url}/docs/ws)`,
    `  Health       ${url}/health`,
    '',
  ];
  if (app.newMasterKey !== undefined)
    lines.push(
      'Master key for /admin/* (header X-Master-Key):',
      `  ${app.newMasterKey.key}`,
      `  It is kept in ${app.newMasterKey.file}`,
      '',
    );
  if (app.firstStart !== undefined)
    lines.push(
      'First start: there is a tenant "demo" with a channel "general" (members alice and bob).',
      `  Tenant       ${encodeId('tenant', DEMO.tenantId)}`,
      `  API key      ${app.firstStart.apiKey}`,
      '  Keep it: it is not shown again.',
      '',
      'Send a message:',
      '',
      `curl -X POST ${url}/rooms/${encodeId('room', DEMO.roomId)}/messages -H 'X-API-Key: ${app.firstStart.apiKey}' -H 'X-User-Id: ${DEMO.userId}' -H 'Content-Type: application/json' -d '{"content":"Hello, world!"}'`,
      '',
      'Ask the assistant (an echo, until you set OPENAI_API_KEY or OPENAI_BASE_URL):',
      '',
      `curl -X POST ${url}/api/chat -H 'X-API-Key: ${app.firstStart.apiKey}' -H 'Content-Type: application/json' -d '{"message":"Hello","userId":"${DEMO.userId}"}'`,
      '',
    );
  return lines.join('\n');
}
