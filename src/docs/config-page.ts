import type { DocumentedArea, DocumentedField } from './config-source';
import { code, generatedFrom, page, prose } from './markdown';

/** docs/config.md: every variable of the environment. */
export function configPage(areas: readonly DocumentedArea[]): string {
  return page([
    generatedFrom('src/config/areas.ts'),
    '# Configuration',
    'The server reads its environment, and a file `.env` in the directory that it is started in; `.env.example` is a ' +
      'template. Everything has a default. An empty variable counts as unset. All bad values are reported at once, and ' +
      'the server does not start with any.',
    ...areas.flatMap(({ title, fields }) => [`## ${title}`, Object.values(fields).map(item).join('\n')]),
  ]);
}

function item(field: DocumentedField): string {
  const notes = [
    field.shownDefault === undefined ? 'unset by default' : `default ${code(field.shownDefault)}`,
    ...(field.secret ? ['secret'] : []),
  ];
  return `- ${code(field.name)} (${notes.join(', ')}): ${prose(field.doc)}`;
}
