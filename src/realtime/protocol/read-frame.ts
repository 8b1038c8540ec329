import { AppError, invalid } from '../../common/errors';
import { codePoints, isStorableText } from '../../common/text';
import { isTooLarge, JsonRefused, parseJson, refused } from '../../platform/validation';

/** Longest `request_id`, in code points. */
export const MAX_REQUEST_ID = 64;
const SHOWN_TYPE = 64;

/** A client's message as far as it can be understood without its operation. */
export type ReadFrame =
  | { readonly type: string; readonly requestId: string | undefined; readonly fields: Record<string, unknown> }
  | { readonly refused: AppError; readonly requestId: string | undefined };

/**
 * Reads one text message, flat or nested; never throws for what a client sent.
 * @param defaultType what a frame without a type is
 * @param sentBytes how large it came
 */
export function readFrame(text: string, defaultType?: string, sentBytes = Buffer.byteLength(text)): ReadFrame {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    return { refused: refused('The frame', error), requestId: requestIdIn(error.value) };
  }
  if (!isObject(value))
    return { refused: new AppError('VALIDATION_ERROR', 'A frame must be a JSON object'), requestId: undefined };
  const type = value['type'] ?? defaultType;
  const nested = isObject(value['data']) ? value['data'] : undefined;
  const given = value['request_id'] ?? nested?.['request_id'];
  if (!isRequestId(given)) {
    const rule = `request_id must be a string of at most ${MAX_REQUEST_ID} characters`;
    return { refused: invalid('request_id', rule), requestId: undefined };
  }
  const requestId = given ?? undefined;
  const fault = sizeFault(value, sentBytes) ?? typeFault(type) ?? (nested && strayFault(value));
  return fault ? { refused: fault, requestId } : { type: type as string, requestId, fields: fieldsOf(value, nested) };
}

/** What a frame's type is called in an error. */
export function unknownType(type: string): AppError {
  return invalid('type', `Unknown frame type: ${type.slice(0, SHOWN_TYPE).toWellFormed()}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** null counts as absent, as for every optional field. */
function isRequestId(value: unknown): value is string | null | undefined {
  if (value === undefined || value === null) return true;
  return typeof value === 'string' && codePoints(value) <= MAX_REQUEST_ID && isStorableText(value);
}

/** That of a frame of which nothing else is taken. */
function requestIdIn(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const given = value['request_id'] ?? (isObject(value['data']) ? value['data']['request_id'] : undefined);
  return isRequestId(given) ? (given ?? undefined) : undefined;
}

/** One copy, name by name: what is taken out of an object in other ways costs as much as to read it. */
function fieldsOf(
  frame: Record<string, unknown>,
  nested: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const source = nested ?? frame;
  for (const name of Object.keys(source)) {
    const isOurs = name === 'request_id' || (nested === undefined && (name === 'type' || isEmptyData(name, frame)));
    if (!isOurs) fields[name] = source[name];
  }
  return fields;
}

/** `data` that is no object is a field like any other, and refused as such; null counts as absent. */
function isEmptyData(name: string, frame: Record<string, unknown>): boolean {
  return name === 'data' && frame[name] === null;
}

function sizeFault(value: object, sentBytes: number): AppError | undefined {
  return isTooLarge(value, sentBytes)
    ? new AppError('PAYLOAD_TOO_LARGE', 'The frame is larger than 256 KB')
    : undefined;
}

function typeFault(type: unknown): AppError | undefined {
  if (type === undefined || type === null) return invalid('type', 'type is required');
  return typeof type === 'string' ? undefined : invalid('type', 'type must be a string');
}

/** What stands beside `data`. */
const ENVELOPE = new Set(['type', 'request_id', 'data']);

/** Fields beside `data` would be dropped in silence. */
function strayFault(outer: Record<string, unknown>): AppError | undefined {
  const stray = Object.keys(outer).find((name) => !ENVELOPE.has(name));
  if (stray === undefined) return undefined;
  const shown = stray.slice(0, 100).toWellFormed();
  return invalid(shown, `Unknown field: ${shown}. The fields of a frame with data stand in data`);
}
