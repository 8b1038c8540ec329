/**
 * Writes docs/moved.md: where the files of 28 November 2026 are now, which the design's pages name by their old paths.
 *
 *   node scripts/moved.mjs
 */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The last commit before the house was made over. */
const BEFORE = 'e77a485';
/** Folders that moved as a whole: their files are not listed one by one. */
const FOLDERS = [['src/platform/realtime/', 'src/realtime/']];
/** Files that git cannot follow: their content went into another one, which may be a folder. */
const INTO = {
  'src/common/errors/hints.ts': 'src/common/errors/error-body.ts',
  'src/common/text/address.ts': 'src/common/text/index.ts',
  'src/docs/asyncapi-page.ts': 'src/docs/pages.ts',
  'src/docs/config-source.ts': 'src/docs/config-page.ts',
  'src/docs/env-example.ts': 'src/docs/config-page.ts',
  'src/docs/metrics-page.ts': 'src/docs/errors-page.ts',
  'src/docs/openapi-page.ts': 'src/docs/pages.ts',
  'src/docs/unopened-nest.ts': 'src/docs/pages.ts',
  'src/modules/chats/http/conversation-errors.ts': 'src/modules/chats/http/doors.ts',
  'src/modules/messages/refusals.ts': 'src/modules/messages/messages.functions.ts',
  'src/modules/models/answer/clean-text.ts': 'src/modules/models/answer/answer.ts',
  'src/modules/models/providers/echo.ts': 'src/modules/models/providers/registry.ts',
  'src/modules/models/providers/refusals.ts': 'src/modules/models/providers/openai-compatible.ts',
  'src/modules/models/routing/order.ts': 'src/modules/models/routing/channel-choice.ts',
  'src/modules/rooms/room-refusals.ts': 'src/modules/rooms/rooms.functions.ts',
  'src/modules/tenants/webhook/webhook-secret.ts': 'src/modules/tenants/webhook/endpoints.ts',
  'src/modules/webhooks/delivery-id.ts': 'src/modules/webhooks/event-facts.ts',
  'src/modules/webhooks/sign.ts': 'src/modules/webhooks/poster.ts',
  'src/platform/database/embedded/log-file.ts': 'src/platform/database/embedded/postmaster.ts',
  'src/platform/database/embedded/settings.ts': 'src/platform/database/embedded/postmaster.ts',
  'src/platform/health/uptime.ts': 'src/platform/health/health.service.ts',
  'src/platform/http/request.ts': 'src/platform/auth/api-key.guard.ts',
  'src/platform/jobs/jobs-gauge.ts': 'src/platform/jobs/job-metrics.ts',
  'src/platform/logging/describe-error.ts': 'src/platform/logging/log.ts',
  'src/platform/outbound/target.ts': 'src/platform/outbound/connect.ts',
  'src/platform/realtime/feed/live-set.ts': 'src/realtime/feed/connection-states.ts',
  'src/platform/realtime/feed/overheard.ts': 'src/realtime/feed/channels.ts',
  'src/platform/realtime/feed/room-order.ts': 'src/realtime/feed/order.ts',
  'src/platform/realtime/protocol/asyncapi/markdown.ts': 'src/realtime/protocol/asyncapi/page.ts',
  'src/platform/realtime/transport/nest-adapter.ts': 'src/realtime/ws-adapter.ts',
  'src/platform/validation/pipe.ts': 'src/platform/validation/validator.ts',
};
/** Their functions and tables are SQL beside the modules now. */
const SCHEMA = 'src/platform/database/migrations/';

const changes = execFileSync('git', ['diff', '--name-status', '-M40%', BEFORE, 'HEAD', '--', 'src'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .map((line) => line.split('\t'))
  .filter(([status, path]) => /^[RD]/.test(status) && !path.endsWith('.spec.ts') && !path.startsWith(SCHEMA));

const moved = (path) =>
  FOLDERS.reduce((now, [from, to]) => (now.startsWith(from) ? to + now.slice(from.length) : now), path);
const rows = [];
for (const [status, path, renamed] of changes) {
  const now = INTO[path] ?? (existsSync(join(ROOT, moved(path))) ? moved(path) : status === 'D' ? undefined : renamed);
  if (now !== moved(path)) rows.push(`| ${path} | ${now ?? 'gone: nothing of it is left'} |`);
}
const missing = Object.values(INTO).filter((path) => !existsSync(join(ROOT, path)));
if (missing.length > 0) throw new Error(`scripts/moved.mjs names what is not there: ${missing.join(', ')}`);

writeFileSync(
  join(ROOT, 'docs', 'moved.md'),
  `# Where files have gone

Made by \`node scripts/moved.mjs\`. Pages that were written before name files by the paths of 28 November 2026; what is not listed is where
it was.

| then | now |
| --- | --- |
${FOLDERS.map(([from, to]) => `| everything of ${from} that is not named below | ${to} |`).join('\n')}
| ${SCHEMA}NNNN*.ts | \`schema/tables.sql\` and \`schema/functions/<function>.sql\` of the module whose table or function it is |
${rows.join('\n')}
`,
);
