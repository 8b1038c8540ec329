import { FakeModel, type ProviderServer } from '../fake-model';
import type { Api } from '../http/api';
import { until } from '../poll';
import { createServedTenant, type Servers } from '../server-process';
import { RestartingServer } from '../restarting-server';
import type { ServerFrame } from '../ws/client';
import { type ChatMessageBody, messagesOf, rejoin } from './http';
import type { SseClient, SseEvent } from './sse';
import { textOn } from './socket';

/** The lease of a dead worker has to run out before what it wrote is ended; the rest is for a busy machine. */
export const LEASE_MS = 60_000;
const FINAL = ['completed', 'cancelled', 'interrupted', 'failed'];

/** A server that dies, whose model lives in the test and outlives it. */
export class ChatCrashFixture {
  private constructor(
    readonly victim: RestartingServer,
    readonly model: ProviderServer,
    readonly key: Api,
  ) {}

  static async start(servers: Servers): Promise<ChatCrashFixture> {
    const model = await FakeModel.start();
    const victim = await RestartingServer.start(servers, { OPENAI_BASE_URL: model.url });
    const target = await createServedTenant(() => victim.url, 1, 0);
    return new ChatCrashFixture(victim, model, target.as('alice'));
  }

  /** All messages of the chat, once so many answers are there; while PostgreSQL is away it is asked again. */
  answered(chatId: string, questions: number): Promise<readonly ChatMessageBody[]> {
    return until(
      () => messagesOf(this.key, chatId).catch((): ChatMessageBody[] => []),
      (all) => all.filter(({ sender_role }) => sender_role === 'assistant').length >= questions,
      LEASE_MS,
    );
  }

  /** Joins again after what a reader has, and reads to the end; the text that they have then. */
  async textAfter(chatId: string, seen: readonly SseEvent[]): Promise<string> {
    const stream = await rejoin(this.key, chatId, seen.at(-1)?.id);
    return textByRules([...seen, ...(await stream.rest())]);
  }
}

/** What a reader of the AI chats API makes of these events of one answer. */
export function textByRules(events: readonly SseEvent[]): string {
  return textOn(events.map(({ data }) => ({ ...data, type: data['event_type'] }) as ServerFrame));
}

/** Reads until the reader has this much of the answer. */
export async function readTo(stream: SseClient, text: string): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  while (textByRules(events) !== text) {
    const event = await stream.next();
    if (event === undefined) throw new Error(`the stream ended before "${text}"`);
    events.push(event);
  }
  return events;
}

/**
 * What is wrong with a chat's log: gaps, messages that were acknowledged and are missing or doubled, questions without
 * exactly one answer that counts, answers that the model did not give.
 * @param acknowledged ids of the users' messages
 * @param said the whole answer of the model to each question
 */
export function chatFaults(
  messages: readonly ChatMessageBody[],
  acknowledged: readonly string[],
  said: (question: string) => string,
): string[] {
  const faults = messages.flatMap(({ seq }, i) => (seq === i + 1 ? [] : [`seq ${seq} is the ${i + 1}th`]));
  const questions = messages.filter(({ sender_role }) => sender_role === 'user');
  const ids = new Set(questions.map(({ id }) => id));
  for (const id of acknowledged) if (!ids.has(id)) faults.push(`message ${id} is lost`);
  if (new Set(questions.map(({ content }) => content)).size < questions.length) faults.push('a message is there twice');
  return [...faults, ...questions.flatMap((question) => faultsOfAnswer(question, messages, said(question.content)))];
}

function faultsOfAnswer({ seq, content }: ChatMessageBody, all: readonly ChatMessageBody[], said: string): string[] {
  const answers = all.filter(({ reply_to_seq, status }) => reply_to_seq === seq && status !== 'superseded');
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) return [`"${content}" has ${answers.length} answers`];
  const isTrue = answer.status === 'completed' ? answer.content === said : said.startsWith(answer.content);
  if (isTrue && FINAL.includes(answer.status)) return [];
  return [`"${content}" is answered (${answer.status}) by "${answer.content}"`];
}
