/** Serves what `npm run build` makes of `web/`: the first page, the console and the playground. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../common/errors';
import { VERSION } from '../../common/version';
import { HttpConfig, isProduction, RuntimeConfig } from '../../config';
import { Log } from '../logging';

/** Also from src: tests serve what was built. */
const ROOT = join(__dirname, '..', '..', '..');
const BUILT = join(ROOT, 'dist', 'web');

/** What who asks for `/` without being a browser is told. */
const ABOUT = { name: 'chatapi', version: VERSION, docs: '/docs', health: '/health' } as const;

const ROBOTS = 'User-agent: *\nDisallow: /\n';

const LLMS = `# ChatAPI ${VERSION}

> A self-hosted, multi-tenant chat server: rooms, AI chats and conversations on one durable message log.

## Documents
- [REST](/openapi.json): OpenAPI of all routes; /docs shows it
- [Sockets](/asyncapi.json): AsyncAPI of /ws and /ws/chat; /docs/ws shows it
- [Health](/health): whether the server works

## Three APIs
- Rooms: POST /rooms, POST /rooms/{room_id}/messages, GET /rooms/{room_id}/messages, the socket /ws
- AI chats: POST /api/v1/chats, POST /api/v1/chats/{chat_id}/messages, the socket /ws/chat
- Conversations: POST /api/chat, GET /api/conversations
- For useChat of the Vercel AI SDK: POST /api/ui/chat, GET /api/ui/chat/{chat_id}/stream
- For clients of OpenAI's API: base URL /v1, an API key or a user token as Bearer, GET /v1/models

## Credentials
X-API-Key with X-User-Id for a back end, Authorization: Bearer for users (POST /tokens), X-Master-Key for /admin.
`;

/** Whether the pages are wanted, and built. */
export function hasPages({ uiEnabled }: HttpConfig): boolean {
  return uiEnabled && existsSync(join(BUILT, 'index.html'));
}

/** Serves the pages where they are wanted and built; `/` in JSON, /robots.txt and /llms.txt in any case. */
export async function installWeb(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  const config = app.get(HttpConfig);
  const home = hasPages(config) ? page('index') : undefined;
  if (config.uiEnabled && home === undefined)
    app.get(Log).warn({}, 'the pages are not built: npm run build makes them');
  fastify.get('/', (request, reply) => {
    reply.header('Vary', 'Accept');
    return home !== undefined && namesHtml(request) ? sendPage(reply, home) : ABOUT;
  });
  sendText(fastify, '/robots.txt', ROBOTS);
  sendText(fastify, '/llms.txt', LLMS);
  if (home !== undefined) await installPages(fastify, app.get(RuntimeConfig));
}

async function installPages(fastify: FastifyInstance, runtime: RuntimeConfig): Promise<void> {
  const console = page('console');
  const playground = playgroundPage(isProduction(runtime));
  const icon = readFileSync(join(ROOT, 'assets', 'favicon.svg'), 'utf8');
  fastify.get('/admin/ui', (_request, reply) => sendPage(reply, console));
  // The console's own addresses: one with a dot is a file that there is not.
  fastify.get<{ Params: { '*': string } }>('/admin/ui/*', ({ params }, reply) => {
    if (params['*'].includes('.')) throw new AppError('NOT_FOUND', 'Route not found');
    return sendPage(reply, console);
  });
  fastify.get('/playground', (_request, reply) => sendPage(reply, playground));
  fastify.get('/favicon.svg', (_request, reply) =>
    reply.type('image/svg+xml').header('Cache-Control', 'public, max-age=86400').send(icon),
  );
  await fastify.register(fastifyStatic, {
    root: join(BUILT, 'assets'),
    prefix: '/ui/assets/',
    decorateReply: false,
    preCompressed: true,
    // Their names hold a hash of what is in them.
    immutable: true,
    maxAge: '365d',
  });
}

function page(name: string): string {
  return readFileSync(join(BUILT, `${name}.html`), 'utf8');
}

/** In production it asks for user tokens and for no key: the page cannot know that by itself. */
function playgroundPage(isInProduction: boolean): string {
  const html = page('playground');
  return isInProduction ? html.replace('<html lang="en">', '<html lang="en" data-runtime="production">') : html;
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').header('Cache-Control', 'no-cache').send(html);
}

function sendText(fastify: FastifyInstance, path: string, text: string): void {
  fastify.get(path, (_request, reply) => reply.type('text/plain; charset=utf-8').send(text));
}

/** Whether the request names HTML among what it takes: `*` is what programs send. */
function namesHtml({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').split(',').some((range) => {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === 'text/html' && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
