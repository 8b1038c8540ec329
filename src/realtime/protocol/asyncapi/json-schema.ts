/** A JSON schema (draft 7), as AsyncAPI takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const NULL = { type: 'null' };

/** Turns a schema of OpenAPI 3.0 into JSON schema: `nullable` and `example` exist there only. */
export function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, example, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === 'example' ? (value as unknown) : toJsonSchema(value)]),
  );
  const shown = example === undefined ? rest : { ...rest, examples: [example] };
  return nullable === true ? orNull(shown) : shown;
}

/** An object that lists its fields has no others. */
export function closed(schema: JsonSchema): JsonSchema {
  const isList = schema['properties'] !== undefined && schema['additionalProperties'] === undefined;
  return isList ? { ...schema, additionalProperties: false } : schema;
}

/** Names of the components that a schema refers to, at any depth. */
export function referredTo(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value.split('/').at(-1) ?? ''] : referredTo(value),
  );
}

function orNull(schema: Record<string, unknown>): unknown {
  const { type, description, ...rest } = schema;
  if (typeof type === 'string' && !('allOf' in rest) && !('oneOf' in rest)) {
    const values = Array.isArray(rest['enum']) ? { enum: [...(rest['enum'] as unknown[]), null] } : {};
    return { ...schema, type: [type, 'null'], ...values };
  }
  return { ...(description === undefined ? {} : { description }), oneOf: [rest, NULL] };
}
