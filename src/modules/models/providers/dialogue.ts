import { BETWEEN_MESSAGES, joinNeighbours } from '../answer/answer';
import type { ModelImage, ModelMessage } from '../contract';

/** What a user or a model says until the other one speaks. */
interface Turn {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  /** In the order in which the text names them. */
  readonly images: readonly ModelImage[];
}

type Spoken = ModelMessage & Pick<Turn, 'role'>;

/** Messages for a protocol that keeps the system prompt apart, and lets user and model speak in turn. */
export interface Dialogue {
  readonly system: string | undefined;
  readonly turns: readonly Turn[];
}

/**
 * Blank messages are left out, neighbours of one role are joined. System messages are one text, apart, wherever they stand;
 * where nothing else is said, they are what the user says.
 * @param isSpoken the system prompt is told as the user's first words: there are models that know none
 */
export function dialogueOf(messages: readonly ModelMessage[], isSpoken = false): Dialogue {
  const said = messages.filter(({ content }) => content.trim() !== '');
  const system = said.filter(({ role }) => role === 'system').map(({ content }) => content);
  const turns = said.flatMap(({ role, ...message }): Spoken[] => (role === 'system' ? [] : [{ ...message, role }]));
  if (system.length === 0) return { system: undefined, turns: joined(turns) };
  const text = system.join(BETWEEN_MESSAGES);
  if (isSpoken || turns.length === 0)
    return { system: undefined, turns: joined([{ role: 'user', content: text }, ...turns]) };
  return { system: text, turns: joined(turns) };
}

function joined(spoken: readonly Spoken[]): Turn[] {
  return joinNeighbours(spoken).map(({ role, content: text, images = [] }) => ({ role, text, images }));
}
