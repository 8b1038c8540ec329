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
interface AskedTurn extends Pick<CompletionRequest, 'asked' | 'includeUsage' | 'isStream'> {
  /** Undefined from when it has been said: who waits for the answer keeps no text and no images of it. */
  last: CompletionRequest['messages'][number] | undefined;
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
  answer(call: StreamCall, body: ChatCompletionDto, chatId: string | undefined): Promise<Readable | CompletionDto> {
    const request = completionRequest(body);
    forgetBody(call.reply);
    const acting = { caller: this.rules.callerOf(call.caller, body.user), reply: call.reply };
    if (chatId === undefined) return this.withoutChat(acting, request);
    // Neither the body nor the request is known to what waits.
    const { asked, includeUsage, isStream, messages } = request;
    return this.inChat(call, acting, { asked, includeUsage, isStream, last: messages.at(-1) }, chatId);
  }

  private async withoutChat(
    call: StreamCall,
    { asked, messages, isStream, includeUsage }: CompletionRequest,
  ): Promise<Readable | CompletionDto> {
    const wanted = await this.rules.wanted(call.caller, asked);
    if (!this.rules.isFree(call.caller))
      throw new AppError('AUTHORIZATION_ERROR', 'Without X-Chat-Id only API keys may ask: name a chat of yours', {
        field: 'X-Chat-Id',
      });
    const callId = this.stateless.newId();
    const head = completionHead(callId, asked.model);
    const ask = { callId, wanted, messages };
    if (isStream) return this.stateless.stream(call, ask, chunksOf(new CompletionChunks(head, includeUsage)));
    const { text, end } = await this.stateless.whole(call, ask);
    return completion(head, text, end);
  }

  private async inChat(
    { caller: original }: StreamCall,
    call: StreamCall,
    turn: AskedTurn,
    chatId: string,
  ): Promise<Readable | CompletionDto> {
    const wanted = await this.rules.wanted(call.caller, turn.asked);
    this.rules.needUser(call.caller);
    const answer = await this.turn(call, turn, wanted, chatId);
    original.replayed = call.caller.replayed;
    return answer;
  }

  private turn(call: StreamCall, asking: AskedTurn, wanted: Wanted, chatId: string): Promise<Readable | CompletionDto> {
    const { caller } = call;
    const { asked, includeUsage, isStream } = asking;
    const { model } = asked;
    return this.streams.withPermit(call, caller.userId, async () => {
      const chat = await this.chats.findOwn(caller, chatId);
      if (chat === undefined) throw notFound('Chat');
      if (chat.preset !== model) throw invalid('model', `The chat has another model: ${chat.preset}`);
      const turn = await this.say(call, chat, asking.last, wanted);
      asking.last = undefined;
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
