/** Markdown as prettier would write it, so that generated pages pass the same check as written ones. */

/** First line of every generated page. */
export function generatedFrom(source: string): string {
  return `<!-- Generated from ${source} by "npm run docs". Do not edit. -->`;
}

/** Joins paragraphs, lists and tables with one empty line, and ends the file. */
export function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

/** A table with columns as wide as their widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((title, i) => Math.max(3, title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string => `| ${widths.map((w, i) => (row[i] ?? '').padEnd(w)).join(' | ')} |`;
  return [line(head), line(widths.map((w) => '-'.repeat(w))), ...cells.map(line)].join('\n');
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** Plain text: its asterisks and tags are meant as they stand. What is inside backticks is left alone. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll(/[*<]/g, '\\$&')))
    .join('');
}
