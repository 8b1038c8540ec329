import type { App } from './app';
import { encodeId } from './common/ids';
import { VERSION } from './common/version';
import { DEMO } from './modules/first-start';

/** What a person needs after a start; keys are shown on the very first one only, and in production their files. */
export function banner(app: App): string {
  const { url } = app;
  return [
    '',
    `ChatAPI listens on ${app.bound}`,
    ...(app.bound === url ? [] : [`  That is every address of this machine; from here it is ${url}`]),
    '',
    `  Version      ${VERSION}`,
    ...(app.hasPages
      ? [`  Start here   ${url}/`, `  Console      ${url}/admin/ui`, `  Playground   ${url}/playground`]
      : []),
    `  Swagger UI   ${url}/docs`,
    `  OpenAPI      ${url}/openapi.json`,
    `  Socket       ${url.replace(/^http/, 'ws')}/ws and /ws/chat (frames: ${url}/docs/ws)`,
    `  Health       ${url}/health`,
    '',
    ...masterKey(app),
    ...demo(app),
  ].join('\n');
}

function masterKey({ newMasterKey, firstStart, url }: App): string[] {
  if (newMasterKey === undefined) return [];
  const { key, file } = newMasterKey;
  const shown = key === undefined ? [`  It is kept in ${file}`] : [`  ${key}`, `  It is kept in ${file}`];
  return [
    'Master key for /admin/* (header X-Master-Key):',
    ...shown,
    '',
    ...(firstStart === undefined
      ? [
          'Make a tenant:',
          '',
          `curl -X POST ${url}/admin/tenants -H "X-Master-Key: $(cat '${file}')" -H 'Content-Type: application/json' -d '{"name":"my app"}'`,
          '',
        ]
      : []),
  ];
}

function demo({ firstStart, hasPages, url }: App): string[] {
  if (firstStart === undefined) return [];
  const { apiKey, keyFile } = firstStart;
  const header = keyFile === undefined ? `'X-API-Key: ${apiKey}'` : `"X-API-Key: $(cat '${keyFile}')"`;
  return [
    'First start: there is a tenant "demo" with a channel "general" (members alice and bob).',
    `  Tenant       ${encodeId('tenant', DEMO.tenantId)}`,
    ...(keyFile === undefined
      ? [`  API key      ${apiKey}`, '  Keep it: it is not shown again.']
      : [`  Its API key is kept in ${keyFile}`]),
    '',
    ...(hasPages ? ['Let two people talk, in a browser:', '', `  ${url}/playground#demo`, ''] : []),
    'Send a message:',
    '',
    `curl -X POST ${url}/rooms/${encodeId('room', DEMO.roomId)}/messages -H ${header} -H 'X-User-Id: ${DEMO.userId}' -H 'Content-Type: application/json' -d '{"content":"Hello, world!"}'`,
    '',
    'Ask the assistant (an echo, until you set OPENAI_API_KEY or OPENAI_BASE_URL):',
    '',
    `curl -X POST ${url}/api/chat -H ${header} -H 'Content-Type: application/json' -d '{"message":"Hello","userId":"${DEMO.userId}"}'`,
    '',
  ];
}
