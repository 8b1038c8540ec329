/** Writes a command's results between its markers in bench/README.md, with machine and date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { format, resolveConfig } from 'prettier';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../README.md', import.meta.url));

export async function writeSection(name, markdown) {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
  const page = readFileSync(PAGE, 'utf8');
  const block = `<!-- ${name}:begin -->\n\n${machine}\n\n${markdown}\n\n<!-- ${name}:end -->`;
  const marked = new RegExp(`<!-- ${name}:begin -->[\\s\\S]*<!-- ${name}:end -->`);
  if (!marked.test(page)) throw new Error(`bench/README.md has no place for ${name}`);
  const text = page.replace(marked, () => block);
  writeFileSync(PAGE, await format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' }));
  console.log(markdown);
}

/** A Markdown table of objects with the same keys. */
export function table(rows) {
  const names = Object.keys(rows[0]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(names), line(names.map(() => '---')), ...rows.map((row) => line(names.map((name) => row[name])))].join(
    '\n',
  );
}

/** The rows between a command's markers, as `table` wrote them. */
export function readRows(name) {
  const page = readFileSync(PAGE, 'utf8');
  const block = new RegExp(`<!-- ${name}:begin -->([\\s\\S]*)<!-- ${name}:end -->`).exec(page)?.[1] ?? '';
  const [head, , ...lines] = block
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return lines.map((cells) => Object.fromEntries(cells.map((cell, i) => [head[i], cell])));
}
