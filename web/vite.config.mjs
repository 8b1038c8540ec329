/** The pages of the server: one build, an entry for each, into dist/web, which `src/platform/http/web.ts` serves. */
import react from '@vitejs/plugin-react';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig } from 'vite';

const ROOT = import.meta.dirname;
const OUT = join(ROOT, '..', 'dist', 'web');
/** Where the pages are: as the server has them, and so in development. */
const PAGES = [
  [/^\/$/, '/index.html'],
  [/^\/admin\/ui(\/[^.]*)?$/, '/console.html'],
  [/^\/playground$/, '/playground.html'],
];
/** Smaller files gain less than the header that says it. */
const LEAST_BYTES = 1024;

/** Writes beside each file what `@fastify/static` sends to a browser that takes it. */
function compressed() {
  const brotli = (bytes) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  return {
    name: 'compressed',
    apply: 'build',
    async closeBundle() {
      const folder = join(OUT, 'assets');
      const names = (await readdir(folder)).filter((name) => /\.(js|css|svg)$/.test(name));
      await Promise.all(
        names.map(async (name) => {
          const bytes = await readFile(join(folder, name));
          if (bytes.length < LEAST_BYTES) return;
          const [br, gz] = await Promise.all([brotli(bytes), promisify(gzip)(bytes, { level: 9 })]);
          await Promise.all([writeFile(join(folder, `${name}.br`), br), writeFile(join(folder, `${name}.gz`), gz)]);
        }),
      );
    },
  };
}

/** In development: the pages at their paths; whatever is no file of theirs is asked of the server that runs. */
function besideServer() {
  return {
    name: 'beside-server',
    apply: 'serve',
    configureServer(vite) {
      vite.middlewares.use((request, _response, next) => {
        const path = (request.url ?? '/').split('?', 1)[0];
        const wantsPage = request.headers.accept?.includes('text/html') ?? false;
        const [, page] = PAGES.find(([pattern]) => pattern.test(path)) ?? [];
        if (page !== undefined && wantsPage) request.url = `/ui${page}`;
        next();
      });
    },
  };
}

const target = process.env.CHATAPI_URL ?? 'http://127.0.0.1:8080';

export default defineConfig(({ command }) => {
  // What a shell or a test runner says there would put React's development build into the pages, twice as large.
  if (command === 'build') process.env.NODE_ENV = 'production';
  return {
    root: ROOT,
    base: '/ui/',
    publicDir: false,
    plugins: [react(), compressed(), besideServer()],
    build: {
      outDir: OUT,
      emptyOutDir: true,
      target: 'es2022',
      // Everything of a page is a file of this server, also what is small: the pages' CSP lets no data: style in.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        input: ['index.html', 'console.html', 'playground.html'].map((name) => join(ROOT, name)),
        // What a page does not use of a folder it does not load, though it comes through the folder's index.
        treeshake: { moduleSideEffects: (id) => !/\/web\/src\/(ui|api)\/.*\.tsx?$/.test(id) },
      },
    },
    server: {
      proxy: { '^/(?!ui/|@)': { target, ws: true, changeOrigin: true } },
    },
  };
});
