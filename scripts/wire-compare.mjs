/**
 * Says whether what clients and operators rely on is as it was: the documents that are generated from the code, against
 * those of a commit.
 *
 *   node scripts/wire-compare.mjs <commit>   exit code 0: they are the same; 1: what has changed, a line each; 2: wrong use
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DOCUMENTS = ['openapi.json', 'asyncapi.json', 'errors.md', 'metrics.md', 'config.md'];
const MOST_LINES = 40;

/** Paths and values of a document: `{a: {b: 1}}` → `a.b` = `1`. An empty object or list is a value, too. */
export function leaves(node, path = [], into = new Map()) {
  const entries = typeof node === 'object' && node !== null ? Object.entries(node) : [];
  if (entries.length === 0) into.set(path.join(' › '), JSON.stringify(node));
  for (const [name, child] of entries) leaves(child, [...path, name], into);
  return into;
}

/** A Markdown page line by line; the same line twice is counted. */
function lines(text) {
  const seen = new Map();
  for (const line of text.split('\n').map((each) => each.trim().replaceAll(/ {2,}|-{4,}/g, ' '))) {
    let name = line;
    for (let n = 2; seen.has(name); n++) name = `${line} (${n})`;
    seen.set(name, '');
  }
  return seen;
}

/** What has gone, come and changed between two texts of a document; none where they say the same. */
export function changesOf(name, before, after) {
  const read = (text) => (text === '' ? new Map() : name.endsWith('.json') ? leaves(JSON.parse(text)) : lines(text));
  const [was, is] = [read(before), read(after)];
  const short = (text) => (text.length > 120 ? `${text.slice(0, 119)}…` : text);
  return [
    ...[...was].filter(([at]) => !is.has(at)).map(([at, value]) => short(`- ${at} ${value}`.trim())),
    ...[...is].filter(([at]) => !was.has(at)).map(([at, value]) => short(`+ ${at} ${value}`.trim())),
    ...[...is]
      .filter(([at, value]) => was.has(at) && was.get(at) !== value)
      .map(([at, value]) => `~ ${at}: ${short(was.get(at))} → ${short(value)}`),
  ];
}

/** A document of a commit; empty where it had none. */
function documentOf(commit, name) {
  const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e8, stdio: 'pipe' });
  if (git('ls-tree', '--name-only', commit, `docs/${name}`) === '') return '';
  return git('show', `${commit}:docs/${name}`);
}

/** What has changed since the commit, by document. */
export function compare(commit) {
  return DOCUMENTS.map((name) => {
    const [before, after] = [documentOf(commit, name), readFileSync(join(ROOT, 'docs', name), 'utf8')];
    if (before === after) return { name, changes: [] };
    const changes = changesOf(name, before, after);
    return { name, changes: changes.length > 0 ? changes : ['~ the same, written otherwise'] };
  });
}

function main(args) {
  if (args.length !== 1) {
    console.error('Usage: node scripts/wire-compare.mjs <commit>');
    return 2;
  }
  let documents;
  try {
    documents = compare(args[0]);
  } catch (error) {
    console.error(String(error.stderr ?? error.message).trim());
    return 2;
  }
  for (const { name, changes } of documents) {
    console.log(`docs/${name}: ${changes.length === 0 ? 'as it was' : `${changes.length} changes`}`);
    for (const line of changes.slice(0, MOST_LINES)) console.log(`  ${line}`);
    if (changes.length > MOST_LINES) console.log(`  … and ${changes.length - MOST_LINES} more`);
  }
  return documents.every(({ changes }) => changes.length === 0) ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = main(process.argv.slice(2));
