/**
 * What of the house is counted: sizes, names, registrations, SQL. `scripts/house.json` says how much there may be, which
 * may only fall, and how much there is to be.
 *
 *   node scripts/house.mjs           the counts of now, beside what may be and what is to be
 *   node scripts/house.mjs --lower   writes what there is now as what may be, where it has become less
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import ts from 'typescript';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const TABLE = join(ROOT, 'scripts', 'house.json');
const TEST = /\.(spec|int-spec|e2e-spec)\.ts$/;
const SMALL = 20;
const CREATE = /\bCREATE (OR REPLACE |UNLOGGED |UNIQUE )*(TABLE|FUNCTION|INDEX|POLICY|TRIGGER|SEQUENCE)\b/;
const STATEMENT = /\b(SELECT\b|INSERT INTO\b|UPDATE\b.*\bSET\b|DELETE FROM\b|TRUNCATE\b)/s;
/** The database's own statements: roles, locks, backups, the schema. */
const SQL_HOMES = /\.(repository|functions)\.ts$|^src\/platform\/database\//;

/** A source as it stands under a root: `path` from there. */
export const read = (root, ending) =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => relative(root, join(root, 'src', name)).replaceAll('\\', '/'))
    .filter((path) => path.endsWith(ending) && !TEST.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

const linesOf = ({ text }) => text.split('\n').length - 1;

const isExported = ({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;

/** Names that a source defines and exports; what it hands on from elsewhere is not its own. */
export function definedIn({ path, text }, counts = isExported) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  const names = source.statements
    .filter(counts)
    .flatMap((statement) =>
      ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map(({ name }) => name)
        : [statement.name],
    );
  return new Set(names.filter((name) => name !== undefined && ts.isIdentifier(name)).map(({ text: name }) => name));
}

/** Texts of a source's string literals, templates whole. */
function literalsOf({ path, text }) {
  const literals = [];
  const visit = (node) => {
    if (ts.isStringLiteralLike(node)) literals.push(node.text);
    else if (ts.isTemplateExpression(node))
      literals.push(
        [node.head, ...node.templateSpans.map(({ literal }) => literal)].map((part) => part.text).join(' ? '),
      );
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022));
  return literals;
}

function twice(sources) {
  const homes = new Map();
  for (const source of sources)
    for (const name of definedIn(source)) homes.set(name, [...(homes.get(name) ?? []), source.path]);
  return [...homes]
    .filter(([, files]) => files.length > 1)
    .map(([name]) => name)
    .sort();
}

/** What stands in the glossary's columns; the last is the words that a word is used instead of. */
export function glossary(root = ROOT) {
  const path = join(root, 'docs', 'glossary.md');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines
    .filter((line) => line.startsWith('| **'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, word, , instead]) => ({
      word: word.replaceAll('*', ''),
      instead: instead.split(', ').filter((other) => other !== ''),
    }));
}

/** Exported names of which a piece is a word, or its plural, that the glossary has another one for. */
function replacedByGlossary(root, sources) {
  const replaced = new Set(glossary(root).flatMap(({ instead }) => instead.flatMap((word) => [word, `${word}s`])));
  return sources
    .flatMap((source) => [...definedIn(source)])
    .filter((name) => name.split(/(?<=[a-z0-9])(?=[A-Z])|_/).some((piece) => replaced.has(piece.toLowerCase())))
    .sort();
}

const occurrences = (sources, pattern) =>
  sources.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(() => path));

/** What is counted of the sources under a root: each gate with what it found. */
export function found(root = ROOT) {
  const sources = read(root, '.ts');
  const all = [...sources, ...read(root, '.sql')];
  const withLiteral = (pattern, homes = /^$/) =>
    sources
      .filter((source) => !homes.test(source.path) && literalsOf(source).some((text) => pattern.test(text)))
      .map(({ path }) => path);
  return {
    'files of at most 20 lines': sources.filter((source) => linesOf(source) <= SMALL).map(({ path }) => path),
    'exported names with two homes': twice(sources),
    'exported names that the glossary replaces': replacedByGlossary(root, sources),
    '@Global modules': occurrences(sources, /^@Global\(\)/gm),
    useFactory: occurrences(sources, /\buseFactory\b/g),
    'TypeScript that makes tables or functions': withLiteral(CREATE),
    'texts of append_messages': occurrences(all, /FUNCTION (public\.)?append_messages\(/g),
    'SQL outside of repositories': withLiteral(STATEMENT, SQL_HOMES),
  };
}

/** Lines of a file, on average. */
export function meanLines(root = ROOT) {
  const sources = read(root, '.ts');
  return sources.reduce((sum, source) => sum + linesOf(source), 0) / sources.length;
}

export const readTable = () => JSON.parse(readFileSync(TABLE, 'utf8'));

/** What is more than may be, a line each; where the table has the known ones, also what is new. */
export function faults(counted, table) {
  return Object.entries(counted).flatMap(([gate, things]) => {
    const { ceiling, known } = table.gates[gate];
    const fresh = known === undefined ? [] : things.filter((thing) => !known.includes(thing));
    if (fresh.length > 0) return [`${gate}: ${fresh.join(', ')}`];
    return things.length > ceiling ? [`${gate}: ${things.length}, and at most ${ceiling}`] : [];
  });
}

/** The table with what there is now, where it is less, but not less than is asked for. */
export function lowered(counted, mean, table) {
  const gates = Object.entries(table.gates).map(([gate, { ceiling, target, known }]) => {
    const things = counted[gate];
    const kept = known?.filter((thing) => things.includes(thing));
    return [
      gate,
      {
        ceiling: Math.min(ceiling, Math.max(target, things.length)),
        target,
        ...(kept === undefined ? {} : { known: kept }),
      },
    ];
  });
  const { least, target } = table.meanLines;
  return {
    ...table,
    meanLines: { least: Math.min(target, Math.max(least, Math.floor(mean))), target },
    gates: Object.fromEntries(gates),
  };
}

function print(counted, mean, table) {
  const row = (name, now, may, target) =>
    console.log(`${name.padEnd(44)}${String(now).padStart(5)}${String(may).padStart(7)}${String(target).padStart(8)}`);
  row('', 'now', 'may', 'to be');
  row('lines of a file, on average', Math.floor(mean), `≥${table.meanLines.least}`, `≥${table.meanLines.target}`);
  for (const [gate, { ceiling, target }] of Object.entries(table.gates))
    row(gate, counted[gate].length, ceiling, target);
  for (const [walk, { ceiling, target }] of Object.entries(table.walks))
    row(`files of a ${walk}'s walk (test/e2e/paths)`, '', ceiling, target);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [counted, mean, table] = [found(), meanLines(), readTable()];
  if (process.argv.includes('--lower'))
    writeFileSync(
      TABLE,
      await format(JSON.stringify(lowered(counted, mean, table)), { ...(await resolveConfig(TABLE)), filepath: TABLE }),
    );
  print(counted, mean, readTable());
}
