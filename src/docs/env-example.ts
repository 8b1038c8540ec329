import type { DocumentedArea, DocumentedField } from './config-source';

const WIDTH = 100;

/** .env.example: copied to .env as it is, it changes nothing. */
export function envExample(areas: readonly DocumentedArea[]): string {
  const head = ['# Generated from src/config/areas.ts by "npm run docs". Copy to .env and uncomment what you change.'];
  const blocks = areas.flatMap(({ title, fields }) => [[`# --- ${title} ---`], ...Object.values(fields).map(entry)]);
  return `${[head, ...blocks].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** A secret shows no value: an example that is copied must never become somebody's key. */
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
