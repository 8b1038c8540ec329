import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { type Recorded, WALKS } from './walks';

const ROOT = join(__dirname, '..', '..', '..');
export const PAGE = join(ROOT, 'docs', 'paths.md');

const TITLES: Readonly<Record<(typeof WALKS)[number] | 'call' | 'job', string>> = {
  call: 'Any call',
  job: 'Any job',
  message: 'A message',
  token: 'A token',
  notification: 'A notification',
};
const ABOUT: Readonly<Record<keyof typeof TITLES, string>> = {
  call: 'What every call with a body comes through that reads or writes a row, from its first byte to the answer as a whole.',
  job: 'What every background job comes through, from being handed in until its end: the hand-out of a notification, a run of a model, the delivery of a webhook.',
  message: 'From `POST /rooms/{room_id}/messages` to the answer and to the socket of another member.',
  token:
    'From `POST /api/chat/stream` to the first token of the answer in the stream. It stores the user’s message as in _A message_, whose files are left out here, and answers in a job.',
  notification:
    'From `POST /notify` to the answer and, through a job, to the socket of a user, until the job has ended.',
};
/** What a file adds that has no words of its own on top. */
const ADDS: Readonly<Record<string, string>> = {
  'src/platform/http/adapter.ts': 'Fastify, set up for the API.',
  'src/platform/http/install.ts': 'Puts gate, body parser and error answers into Fastify.',
};
const ADDS_BY_NAME: readonly (readonly [RegExp, string])[] = [
  [/\.controller\.ts$/, 'The route: one call of a service.'],
  [/\.module\.ts$/, 'Hands on to what it has made at boot.'],
];
const LONGEST = 140;

/** docs/paths.md of a record. */
export function pageOf({ call, job, walks }: Recorded): string {
  const sections = [
    ['call', call] as const,
    ['job', job] as const,
    ...WALKS.map((name) => [name, walks[name]] as const),
  ];
  return [
    '<!-- Recorded by "npm run docs:paths" (test/support/walks). Do not edit. -->\n',
    '# Paths\n',
    'Which files of `src` a message, a token and a notification come through, recorded on a running server: a file is on the',
    'list when a function of it runs in each walk until the server rests, beyond what runs by itself meanwhile. In the order',
    'in which they are come through first. What they add are the first words of their comments.\n',
    'What several walks share stands once: the three walks leave out what is listed under _Any call_ and _Any job_, and the',
    'token’s also what is listed under _A message_. Each section says how many files it lists.\n',
    ...sections.map(([name, files]) => sectionOf(name, files)),
  ].join('\n');
}

/** The files of the page, by section. */
export function filesOnPage(page: string): Recorded {
  const sections = page.split(/^## /m).slice(1);
  const files = (title: string): string[] => {
    const section = sections.find((each) => each.startsWith(`${title}\n`)) ?? '';
    return [...section.matchAll(/^\| +\d+ \| `(src\/[^`]+)`/gm)].map(([, file]) => file ?? '');
  };
  const walk = (name: (typeof WALKS)[number]): string[] => files(TITLES[name]);
  const walks = { message: walk('message'), token: walk('token'), notification: walk('notification') };
  return { call: files(TITLES.call), job: files(TITLES.job), walks };
}

function sectionOf(name: keyof typeof TITLES, files: readonly string[]): string {
  const rows = files.map((file, i) => `| ${i + 1} | \`${file}\` | ${addsOf(file)} |`);
  return [
    `## ${TITLES[name]}\n\n${ABOUT[name]} ${files.length} files in ${foldersOf(files).length} folders.\n`,
    `\`\`\`mermaid\n${pictureOf(files)}\n\`\`\`\n`,
    `|  | file | adds |\n| --: | --- | --- |\n${rows.join('\n')}\n`,
  ].join('\n');
}

/** The folders in order; an arrow leads from each to that of the next file. */
function pictureOf(files: readonly string[]): string {
  const folders = foldersOf(files);
  const at = (file: string): string => `f${folders.indexOf(dirname(file))}`;
  const nodes = folders.map((folder, i) => {
    const count = files.filter((file) => dirname(file) === folder).length;
    return `  f${i}["${folder.replace(/^src\//, '')} (${count})"]`;
  });
  const steps = files.slice(1).map((file, i) => [at(files[i] ?? ''), at(file)] as const);
  const arrows = new Set(steps.filter(([from, to]) => from !== to).map(([from, to]) => `  ${from} --> ${to}`));
  return ['flowchart LR', ...nodes, ...arrows].join('\n');
}

function foldersOf(files: readonly string[]): string[] {
  return [...new Set(files.map((file) => dirname(file)))];
}

/** The first sentence of the file's own comment, else of that of the largest class that it exports, or of the first thing that has one. */
function addsOf(file: string): string {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const [exported, others] = [source.statements.filter(isExported), source.statements.filter((s) => !isExported(s))];
  const own = source.statements.slice(0, 1).filter((s) => ts.isImportDeclaration(s) || ts.isExportDeclaration(s));
  const classes = exported.filter(ts.isClassDeclaration).sort((a, b) => b.getWidth() - a.getWidth());
  const comments = [...own, ...classes, ...exported, ...others].flatMap((statement) =>
    ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc),
  );
  const byName = ADDS_BY_NAME.find(([name]) => name.test(file))?.[1];
  const words = ADDS[file] ?? byName ?? ts.getTextOfJSDocComment(comments[0]?.comment) ?? '';
  return shortened(words.split('\n\n')[0]?.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|') ?? '');
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) && (ts.getModifiers(statement)?.some(isExport) ?? false);
}

const isExport = ({ kind }: ts.Modifier): boolean => kind === ts.SyntaxKind.ExportKeyword;

function shortened(words: string): string {
  const sentence = /^.*?(?<! e\.g)[.:;](?= |$)/.exec(words)?.[0] ?? words;
  if (sentence.length <= LONGEST) return sentence.replace(/[:;]$/, '.');
  return `${sentence.slice(0, sentence.lastIndexOf(' ', LONGEST))} …`;
}
