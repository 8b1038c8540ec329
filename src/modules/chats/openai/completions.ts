import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { AppError, invalid, notFound, openAiErrorBody } from '../../../common/errors';
import { MAX_CONTENT } from '../../../common/limits';
import { codePoints } from '../../../common/text';
import { forgetBody } from '../../../platform/http';
import { ChatsService } from '../chats/chats.service';
import type { Chat, TurnOptions, Turn } from '../contract';
import { AnswerStreams, AnswerWaits, type StreamCall } from '../http/answers';
import { TurnsService } from '../turns/turns.service';
import { type CompletionRequest, completionRequest } from './completions-body';
import {
  completion,
  CompletionChunks,
  completionEnd,
  completionFormat,
  completionHead,
  completionsLastWords,
} from './completions-format';
import { OpenAiRules, type Wanted } from './rules';
import type { ChatCompletionDto, CompletionDto } from './dto/completion.dto';
import { type StatelessFormat, StatelessAnswers } from './stateless';

/** What a turn of a chat needs of a request: the others of its messages are in the log. */
interface AskedTurn extends Pick<CompletionRequest, 'includeUsage' | 'isStream'> {
  readonly model: string;
  readonly last: CompletionRequest['messages'][number] | undefined;
}

/** Chat completions: without a chat, where the client's messages are all that is known; or the next turn of one. */
@Injectable()
export class Completions {
  constructor(
    private readonly rules: OpenAiRules,
    private readonly stateless: StatelessAnswers,
    private readonly chats: ChatsService,
    private readonly turns: TurnsService,
    private readonly streams: AnswerStreams,
    private readonly waits: AnswerWaits,
  ) {}

  /**
   * @param chatId what the header `X-Chat-Id` names
   * @throws 400, 403, 404, 409, 422, 429, 502, 503
   */
  async answer(
    call: StreamCall,
    body: ChatCompletionDto,
    chatId: string | undefined,
  ): Promise<Readable | CompletionDto> {
    const request = completionRequest(body);
    forgetBody(call.reply);
    const caller = this.rules.callerOf(call.caller, body.user);
    const wanted = await this.rules.wanted(caller, request.asked);
    const acting = { caller, reply: call.reply };
    if (chatId === undefined) return this.withoutChat(acting, request, wanted);
    const answer = await this.inChat(acting, request, wanted, chatId);
    call.caller.replayed = caller.replayed;
    return answer;
  }

  private async withoutChat(
    call: StreamCall,
    { asked: { model }, messages, isStream, includeUsage }: CompletionRequest,
    wanted: Wanted,
  ): Promise<Readable | CompletionDto> {
    if (!this.rules.isFree(call.caller))
      throw new AppError('AUTHORIZATION_ERROR', 'Without X-Chat-Id only API keys may ask: name a chat of yours', {
        field: 'X-Chat-Id',
      });
    const callId = this.stateless.newId();
    const head = completionHead(callId, model);
    const ask = { callId, wanted, messages };
    if (isStream) return this.stateless.stream(call, ask, chunksOf(new CompletionChunks(head, includeUsage)));
    const { text, end } = await this.stateless.whole(call, ask);
    return completion(head, text, end);
  }

  private inChat(
    call: StreamCall,
    request: CompletionRequest,
    wanted: Wanted,
    chatId: string,
  ): Promise<Readable | CompletionDto> {
    const { caller } = call;
    const { asked, includeUsage, isStream, messages } = request;
    const last = messages.at(-1);
    this.rules.needUser(caller);
    return this.turn(call, { model: asked.model, includeUsage, isStream, last }, wanted, chatId);
  }

  /** Waits with what is told of the answer, and with no more of the request than is said. */
  private turn(
    call: StreamCall,
    { model, includeUsage, isStream, last }: AskedTurn,
    wanted: Wanted,
    chatId: string,
  ): Promise<Readable | CompletionDto> {
    const { caller } = call;
    let said: CompletionRequest['messages'][number] | undefined = last;
    return this.streams.withPermit(call, caller.userId, async () => {
      const chat = await this.chats.findOwn(caller, chatId);
      if (chat === undefined) throw notFound('Chat');
      if (chat.preset !== model) throw invalid('model', `The chat has another model: ${chat.preset}`);
      const turn = await this.say(call, chat, said, wanted);
      said = undefined;
      const head = completionHead(turn.runId, model);
      const format = completionFormat(head, includeUsage);
      if (isStream) return this.streams.open(call, chat, { runId: turn.runId, afterIndex: -1 }, format, []);
      const event = await this.waits.ended(chat, turn.runId, call.reply.raw, () => format.gone());
      const failure = format.failure(event);
      if (failure !== undefined) throw failure;
      return completion(head, event.answer.content, completionEnd(event.answer));
    });
  }

  private say({ caller }: StreamCall, chat: Chat, last: AskedTurn['last'], wanted: Wanted): Promise<Turn> {
    const content = last?.content ?? '';
    if (codePoints(content) > MAX_CONTENT)
      throw invalid(last?.field ?? 'messages', `The message must have at most ${MAX_CONTENT} characters`);
    return this.turns.send(caller, chat, { content, images: last?.images, options: turnOptionsOf(wanted) });
  }
}

/** How a run is to be answered; undefined: as its preset says. */
export function turnOptionsOf({ options, instructions }: Wanted, previous?: string): TurnOptions | undefined {
  const given = {
    ...options,
    ...(instructions === undefined ? {} : { instructions }),
    ...(previous === undefined ? {} : { previous }),
  };
  return Object.keys(given).length === 0 ? undefined : given;
}

function chunksOf(chunks: CompletionChunks): StatelessFormat {
  let isWhole = false;
  return {
    begin: () => [chunks.begin()],
    text: (text) => [chunks.text(text)],
    end: (end) => {
      isWhole = true;
      return chunks.end(end);
    },
    refusal: openAiErrorBody,
    lastWords: completionsLastWords(() => isWhole),
  };
}
