import type { AsyncApiDocument } from './document';

/**
 * The document as the page's component takes it: as the AsyncAPI parser would hand it over, references resolved and
 * things named. So the page needs neither the parser (half a megabyte) nor the right to evaluate code that it brings.
 */
export function resolvedDocument(document: AsyncApiDocument): object {
  const named = {
    ...document,
    channels: withIds(document.channels),
    operations: withIds(document.operations),
    components: { ...document.components, messages: withIds(document.components.messages) },
    'x-parser-spec-parsed': true,
    'x-parser-api-version': 3,
  };
  return resolve(named, named) as object;
}

function withIds(things: Readonly<Record<string, object>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(things).map(([id, thing]) => [id, { ...thing, 'x-parser-unique-object-id': id }]),
  );
}

/** Nothing in the document refers to what it stands in: DTO classes do not nest in themselves. */
function resolve(node: unknown, root: object): unknown {
  if (Array.isArray(node)) return node.map((child) => resolve(child, root));
  if (typeof node !== 'object' || node === null) return node;
  if ('$ref' in node && typeof node.$ref === 'string') return resolve(at(root, node.$ref), root);
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, resolve(child, root)]));
}

function at(root: object, ref: string): unknown {
  const path = ref.replace(/^#\//, '').split('/');
  return path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], root);
}
