import { join } from 'node:path';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Also below dist: the folder stands beside src and dist. */
const ASSETS = join(__dirname, '..', '..', '..', 'assets', 'docs');

/**
 * Scripts and styles are files of this server: nothing stands in a page, nothing is compiled by it, nothing comes from
 * elsewhere. Swagger UI's style sheet holds its icons as data. HTTPS is the proxy's business.
 */
export const PAGE_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
};

/** The pages, in the order of their links. */
const PAGES = [
  ['/docs', 'REST'],
  ['/docs/ws', 'Sockets'],
] as const;

export interface Page {
  readonly path: (typeof PAGES)[number][0];
  readonly title: string;
  /** Paths of style sheets, of scripts, and of the page's own one, which runs after them. */
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
  readonly module: string;
  /** Where the raw document is. */
  readonly document: string;
  /** HTML. */
  readonly body: string;
}

/** The HTML of a page of documents, with links to the others. */
export function pageHtml({ path, title, styles, scripts, module, document, body }: Page): string {
  const links = PAGES.map(
    ([href, name]) => `<a href="${href}"${href === path ? ' aria-current="page"' : ''}>${name}</a>`,
  );
  const head = [
    '<meta charset="utf-8" />',
    '<meta name="viewport" content="width=device-width, initial-scale=1" />',
    '<meta name="color-scheme" content="light dark" />',
    `<title>${title}</title>`,
    '<link rel="icon" type="image/png" href="/docs/swagger/favicon-32x32.png" />',
    ...[...styles, '/docs/assets/page.css'].map((href) => `<link rel="stylesheet" href="${href}" />`),
    ...scripts.map((src) => `<script src="${src}" defer></script>`),
    `<script src="${module}" type="module"></script>`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
${head.join('\n')}
</head>
<body>
<header class="top"><strong>ChatAPI</strong><nav>${links.join('')}<a href="${document}">Document</a></nav></header>
${body}
</body>
</html>
`;
}

/** Serves the scripts and styles of the pages. */
export async function installPageFiles(fastify: FastifyInstance): Promise<void> {
  await fastify.register(fastifyStatic, { root: ASSETS, prefix: '/docs/assets/', decorateReply: false });
}
