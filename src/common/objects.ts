/** An object of a document that nobody has checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** An object as JSON knows it: neither null nor an array. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
