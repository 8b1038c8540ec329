import { ChannelFault } from './chat-model';
import { faultOf, toldError } from './told-errors';

/** An object of a document that nobody has checked. */
export type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Without those that are undefined. */
export function defined(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The document of an event. Throws where it is none, and where it tells of a fault. @param secrets see faultOf */
export function documentOf(data: string, secrets: readonly string[]): Fields {
  let document: unknown;
  try {
    document = JSON.parse(data);
  } catch {
    throw new ChannelFault('sent what is not understood in its answer');
  }
  const told = toldError(document, data);
  if (told !== undefined) throw faultOf('sent an error in its answer', told, secrets);
  if (typeof document !== 'object' || document === null)
    throw new ChannelFault('sent what is not understood in its answer');
  return document as Fields;
}
