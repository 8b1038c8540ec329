/**
 * Writes docs/moved.md: where the files of 28 November 2026 are now, and what their names have become, for pages that were
 * written before.
 *
 *   node scripts/moved.mjs
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { definedIn, read, ROOT } from './house.mjs';

/** The last commit before the house was made over. */
const BEFORE = 'e77a485';
/** Their functions and tables are SQL beside the modules now. */
const SCHEMA = 'src/platform/database/migrations/';
const PAGE = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'moved.md');
/** Names that were exported, and what they are called now; a former name of `file/name` is that of one file. */
const RENAMED = {
  ChatDoor: 'ChatEndpoint',
  Chats: 'ChatsService',
  ClaimedSeat: 'ClaimedPosition',
  ComebackGate: 'ReconnectPacer',
  Company: 'TenantMix',
  CursorSeat: 'CursorPosition',
  Farewell: 'ShutdownNotice',
  'protocol/Lane': 'InboundQueue',
  Letters: 'DeadLetterRange',
  LinkPorts: 'SessionPorts',
  Models: 'ModelsService',
  NotificationLink: 'NotificationSession',
  NotificationLinks: 'NotificationSessions',
  patiently: 'retryWhileAway',
  Presets: 'PresetsService',
  'appender/Room': 'Bounds',
  RoomSeats: 'MemberPositions',
  'presence/Rounds': 'PeriodicBatches',
  'transport/Rounds': 'HeartbeatSweep',
  Said: 'MessageDraft',
  Seat: 'RoomPosition',
  Seats: 'RoomPositions',
  SeatsRepository: 'PositionsRepository',
  SilentWsAdapter: 'ChatWsAdapter',
  SocketDoor: 'SocketEndpoint',
  SocketDoors: 'SocketEndpoints',
  'http/Door': 'AnswerFormat',
  Stops: 'RunStopper',
  Interrupts: 'RunInterrupter',
  Reruns: 'RunRetrier',
  Titles: 'ChatTitler',
  Budgets: 'TokenBudget',
  'chats/Turns': 'TurnsService',
  'realtime/Turns': 'Permits',
};
/** Files whose exported names are all gone: what does their work. */
const INTO = {
  'src/docs/asyncapi-page.ts': 'src/docs/pages.ts',
  'src/docs/openapi-page.ts': 'src/docs/pages.ts',
  'src/modules/chats/socket/providers.ts': 'src/modules/chats/chats.module.ts',
  'src/platform/realtime/feed/live-set.ts': 'src/realtime/feed/connection-states.ts',
  'src/platform/realtime/index.ts': 'src/realtime/index.ts',
  'src/platform/realtime/feed/providers.ts': 'src/realtime/feed/feed.module.ts',
  'src/platform/realtime/presence/providers.ts': 'src/realtime/presence/presence.module.ts',
  'src/platform/realtime/protocol/providers.ts': 'src/realtime/protocol/protocol.module.ts',
  'src/platform/realtime/redelivery/providers.ts': 'src/realtime/redelivery/redelivery.module.ts',
  'src/platform/realtime/sync/providers.ts': 'src/realtime/sync/sync.module.ts',
  'src/platform/realtime/transport/providers.ts': 'src/realtime/transport/transport.module.ts',
};

const git = (...words) => execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 });
const sources = read(ROOT, '.ts');
const now = new Map(sources.map((source) => [source.path, definedIn(source)]));
/** What became its reader's own is not exported any more. */
const alsoWithin = new Map(sources.map((source) => [source.path, definedIn(source, () => true)]));

/** What a name of a file is called now. */
function renamed(path, name) {
  const key = Object.keys(RENAMED).find(
    (former) => former === name || (former.endsWith(`/${name}`) && path.includes(`/${former.split('/')[0]}/`)),
  );
  return key === undefined ? name : RENAMED[key];
}

/** The file that has most of what the former one exported; undefined: none has any. */
function homeOf(path, within) {
  const names = [...definedIn({ path, text: git('show', `${BEFORE}:${path}`) })].map((name) => renamed(path, name));
  const counts = [...within].map(([file, exported]) => [file, names.filter((name) => exported.has(name)).length]);
  const [best, count] = counts.reduce((most, each) => (each[1] > most[1] ? each : most), ['', 0]);
  return count > 0 ? best : undefined;
}

const followed = new Map(
  git('diff', '--name-status', '-M40%', BEFORE, 'HEAD', '--', 'src')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([status]) => status.startsWith('R'))
    .map(([, path, to]) => [path, to]),
);
const then = git('ls-tree', '-r', '--name-only', BEFORE, 'src').split('\n');
const gone = then.filter(
  (path) => /\.ts$/.test(path) && !path.endsWith('.spec.ts') && !now.has(path) && !path.startsWith(SCHEMA),
);
const rows = gone.map((path) => {
  const home = INTO[path] ?? homeOf(path, now) ?? homeOf(path, alsoWithin) ?? followed.get(path);
  return `| ${path} | ${home ?? 'gone: nothing of it is left'} |`;
});
const names = Object.entries(RENAMED).map(([former, name]) => `| ${former} | ${name} |`);
const page = `# Where files have gone

Made by \`node scripts/moved.mjs\`. Pages that were written before name files by the paths of 28 November 2026; what is not listed
is where it was.

| then | now |
| --- | --- |
| ${SCHEMA}NNNN*.ts | \`schema/tables.sql\` and \`schema/functions/<function>.sql\` of the module whose table or function it is |
${rows.join('\n')}

## What is called differently

Where one former name stood in several folders, its folder is said.

| then | now |
| --- | --- |
${names.join('\n')}
`;
writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
