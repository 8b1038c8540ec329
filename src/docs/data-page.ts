import {
  type ColumnData,
  ERASE_STEPS,
  INSTALLATION_TABLES,
  type NotExported,
  type TableDeclaration,
} from '../platform/tenant-data';
import { code, generatedFrom, page, prose, table } from './markdown';

/** docs/data.md: what becomes of the data of each table. @param tables by name */
export function dataPage(tables: ReadonlyMap<string, TableDeclaration>): string {
  const inOrder = [...tables].sort(([a, left], [b, right]) => left.rank - right.rank || (a < b ? -1 : 1));
  return page([
    generatedFrom('the entities of the modules'),
    '# Where the data of a tenant is',
    'What the deletion of a tenant, the erase of a person and the exports have to do with each table. It stands beside ' +
      "the table's columns in the code, and a test compares it with the database: no table and no column that can hold " +
      'text, JSON or bytes is left out.',
    '## Tables',
    'In the order in which the rows of a tenant that is deleted go: a table before those that it refers to.',
    table(
      ['Table', "In a tenant's export", "In a user's export", 'Kept'],
      inOrder.map(([name, { exported, kept }]) => [
        code(name),
        exportedAs(exported.tenant),
        exportedAs(exported.user),
        prose(kept),
      ]),
    ),
    '## The erase of a person, step by step',
    Object.entries(ERASE_STEPS)
      .map(([step, what], i) => `${i + 1}. **${step}**: ${prose(what)}`)
      .join('\n'),
    '## Columns',
    'Numbers, times and ids that are random are left out.',
    table(
      ['Column', 'At an erase'],
      inOrder.flatMap(([name, { columns }]) =>
        Object.entries(columns).map(([column, fate]) => [code(`${name}.${column}`), atErase(fate)]),
      ),
    ),
    '## Tables of the installation',
    'No tenant has rows in them.',
    Object.entries(INSTALLATION_TABLES)
      .map(([name, what]) => `- ${code(name)}: ${prose(what)}`)
      .join('\n'),
  ]);
}

function exportedAs(line: string | NotExported): string {
  return typeof line === 'string' ? code(line) : `no: ${prose(line.notExported)}`;
}

function atErase(fate: ColumnData): string {
  return 'erasedBy' in fate ? `step **${fate.erasedBy}**` : `nothing of a person: ${prose(fate.cannotHold)}`;
}
