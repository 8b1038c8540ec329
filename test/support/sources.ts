import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

export const ROOT = join(__dirname, '..', '..');

/** The server's sources in a folder, without tests, as paths from the root. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => relative(ROOT, join(folder, name)).replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && !/\.(int-|e2e-)?spec\.ts$/.test(file));
}

/** Shows every string literal of a source, ` ? ` in the place of what is put into it. */
export function eachLiteral(source: string, see: (text: string, node: ts.Node) => void): void {
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) see(node.text, node);
    else if (ts.isTemplateExpression(node))
      see([node.head, ...node.templateSpans.map((span) => span.literal)].map((part) => part.text).join(' ? '), node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true));
}
