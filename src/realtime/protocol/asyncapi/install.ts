import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type AsyncApiDocument, buildSocketDocument } from './document';
import { socketPage } from './page';

/** Serves the sockets' document at /asyncapi.json and a page of it at /docs/ws. */
export function installSocketDocs(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  let built: AsyncApiDocument | undefined;
  let page: string | undefined;
  const document = (): AsyncApiDocument => (built ??= buildSocketDocument(app));
  fastify.get('/asyncapi.json', () => document());
  fastify.get('/docs/ws', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send((page ??= socketPage(document()))),
  );
}
