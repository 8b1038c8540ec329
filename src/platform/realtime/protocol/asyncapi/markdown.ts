/** As much of Markdown as the documents' texts use: paragraphs, tables, `code`, **bold** and links. */
export function markdown(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block) => (block.startsWith('|') ? table(block.split('\n')) : `<p>${inline(block)}</p>`))
    .join('\n');
}

/** The text of one block. What is code is taken out first: nothing in it is Markdown. */
export function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? code(part.slice(1, -1)) : emphasised(escape(part))))
    .join('');
}

export function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

/** Text as HTML. */
export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function emphasised(html: string): string {
  return html
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\[([^\]]+)\]\(((?:https?:\/\/|\/(?!\/)|#)[^\s)]*)\)/g, '<a href="$2">$1</a>');
}

function table([head = '', , ...rows]: readonly string[]): string {
  const cells = (row: string): string[] => row.replace(/^\| | \|$/g, '').split(' | ');
  const line = (row: string, tag: 'td' | 'th'): string =>
    `<tr>${cells(row)
      .map((cell) => `<${tag}>${inline(cell)}</${tag}>`)
      .join('')}</tr>`;
  const body = rows.map((row) => line(row, 'td')).join('');
  return `<div class="wide"><table><thead>${line(head, 'th')}</thead><tbody>${body}</tbody></table></div>`;
}
