import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AsyncApiDocument, buildSocketDocument } from './document';
import { resolvedDocument } from './resolved';

/** Also below dist: the folder stands beside src and dist. */
const ASSETS = join(__dirname, '..', '..', '..', '..', '..', 'vendor', 'asyncapi');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>ChatAPI socket</title>
    <link rel="icon" href="/docs/favicon-32x32.png" />
    <link rel="stylesheet" href="/docs/ws/assets/default.min.css" />
  </head>
  <body>
    <div id="asyncapi"></div>
    <script src="/docs/ws/assets/without-parser.js"></script>
    <script src="/docs/ws/page.js"></script>
  </body>
</html>
`;
const SCRIPT = `fetch('/docs/ws/document.json')
  .then((answer) => answer.json())
  .then((schema) => {
    const config = { show: { sidebar: true, errors: false }, expand: { messageExamples: true } };
    AsyncApiStandalone.render({ schema, config }, document.getElementById('asyncapi'));
  });
`;

/** Serves the socket's document at /asyncapi.json and a page of it at /docs/ws; assets are local. */
export async function installSocketDocs(app: NestFastifyApplication): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  let built: AsyncApiDocument | undefined;
  const document = (): AsyncApiDocument => (built ??= buildSocketDocument(app));
  fastify.get('/asyncapi.json', () => document());
  fastify.get('/docs/ws/document.json', () => resolvedDocument(document()));
  fastify.get('/docs/ws', (_request, reply) => reply.type('text/html; charset=utf-8').send(PAGE));
  fastify.get('/docs/ws/page.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(SCRIPT));
  await fastify.register(fastifyStatic, { root: ASSETS, prefix: '/docs/ws/assets/', decorateReply: false });
}
