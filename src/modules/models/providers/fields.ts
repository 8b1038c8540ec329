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

/** The first of the answers that a model may give at once, wherever it stands. */
export function firstOf(answers: unknown): Fields | undefined {
  if (!Array.isArray(answers)) return undefined;
  for (let i = 0; i < answers.length; i++) {
    const answer: unknown = answers[i];
    if (isObject(answer) && (answer['index'] ?? i) === 0) return answer;
  }
  return undefined;
}

/**
 * The document of an event. Throws where it is none, and where it tells of a fault.
 * @param secrets see faultOf
 * @param isAnswer see toldError
 */
export function documentOf(data: string, secrets: readonly string[], isAnswer: (fields: Fields) => boolean): Fields {
  const document = parsed(data);
  const told = toldError(document, data, isAnswer);
  if (told !== undefined) throw faultOf('sent an error in its answer', told, secrets);
  if (!isObject(document)) throw new ChannelFault(NOT_UNDERSTOOD);
  return document;
}

/** The same where an answer may be a list of documents. */
export function documentsOf(
  data: string,
  secrets: readonly string[],
  isAnswer: (fields: Fields) => boolean,
): readonly Fields[] {
  if (!data.trimStart().startsWith('[')) return [documentOf(data, secrets, isAnswer)];
  const list = parsed(data) as readonly unknown[];
  return list.map((document) => documentOf(JSON.stringify(document), secrets, isAnswer));
}

const NOT_UNDERSTOOD = 'sent what is not understood in its answer';

function parsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw new ChannelFault(NOT_UNDERSTOOD);
  }
}
