import { join } from 'node:path';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { RouteAccess } from '../auth';

/** Also below dist: the folder stands beside src and dist. */
const ASSETS = join(__dirname, '..', '..', '..', 'assets', 'docs');

/**
 * Scripts and styles are files of this server: nothing stands in a page, nothing is compiled by it, nothing comes from
 * elsewhere. Swagger UI's style sheet holds its icons as data. HTTPS is the proxy's business.
 */
const PAGE_HEADERS: FastifyHelmetOptions = {
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

/**
 * What the console, the playground and the first page may: nothing but what this server serves, and nothing that stands in
 * the page itself. `connect-src 'self'` holds for sockets too.
 */
const WEB_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:'],
      fontSrc: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
    },
  },
  strictTransportSecurity: false,
};

/** Paths that need no credential, and what browsers are told of them. */
const OPEN: readonly (readonly [RegExp, FastifyHelmetOptions])[] = [
  [/^\/(docs(\/|-json|-yaml|$)|(asyncapi|openapi)\.json$)/, PAGE_HEADERS],
  [/^\/($|admin\/ui(\/|$)|playground$|ui\/|favicon\.svg$|robots\.txt$|llms\.txt$)/, WEB_HEADERS],
];

/** Documents and pages need no credential; everything else has to say so itself. Call before any route is made. */
export function openPages(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const headers = OPEN.find(([pattern]) => pattern.test(route.url))?.[1];
    if (headers === undefined) return;
    const access: RouteAccess = { access: 'public', secretAnswer: false, controller: Object, handler: Object };
    route.config = { ...route.config, access };
    route.helmet = headers;
  });
}

/** The pages of documents, in the order of their links. */
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
