import { code, generatedFrom, page, prose } from './markdown';

const WIDTH = 100;

/** .env.example: copied to .env as it is, it changes nothing. */
export function envExample(areas: readonly DocumentedArea[]): string {
  const head = ['# Generated from src/config/areas.ts by "npm run docs". Copy to .env and uncomment what you change.'];
  const blocks = areas.flatMap(({ title, fields }) => [[`# --- ${title} ---`], ...Object.values(fields).map(entry)]);
  return `${[head, ...blocks].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A secret shows no value: an example that an operator copies must never become a key in use. */
function entry(field: DocumentedField): string[] {
  return [
    ...wrap(field.doc).map((line) => `# ${line}`),
    `#${field.name}=${field.secret ? '' : (field.shownDefault ?? '')}`,
  ];
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

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

/** What the pages about the configuration need to know of one variable. */
export interface DocumentedField {
  readonly name: string;
  readonly doc: string;
  readonly shownDefault: string | undefined;
  readonly secret: boolean;
}

/** One area of the configuration. */
export interface DocumentedArea {
  readonly title: string;
  readonly fields: Readonly<Record<string, DocumentedField>>;
}
