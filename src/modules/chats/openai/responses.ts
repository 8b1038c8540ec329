import { Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { AppError, invalid, notFound } from '../../../common/errors';
import { decodeId } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { forgetBody } from '../../../platform/http';
import { ChatsService } from '../chats/chats.service';
import type { Chat, Turn } from '../contract';
import { AnswerStreams, AnswerWaits, type StreamCall } from '../http/answers';
import { RunsRepository } from '../runs/runs.repository';
import { TurnsService } from '../turns/turns.service';
import { turnOptionsOf } from './completions';
import { keysOnly, OpenAiRules, type Wanted } from './rules';
import type { CreateResponseDto, ResponseDto, ResponseQueryDto } from './dto/response.dto';
import { type ResponseRequest, responseRequest, questionIn } from './responses-body';
import {
  endOf,
  refusalEvent,
  indexAfter,
  ResponseEvents,
  type ResponseHead,
  responseFormat,
  responsesLastWords,
  responseView,
  statusOf,
} from './responses-format';
import { StatelessAnswers, type StatelessFormat } from './stateless';

interface Found {
  readonly chat: Chat;
  readonly runId: string;
  readonly previous: string | undefined;
  readonly isOver: boolean;
  readonly isQueued: boolean;
}

/** Responses that are kept: runs of chats of a user, by the id of the answer. Nobody else's is ever found. */
@Injectable()
export class StoredResponses {
  constructor(
    private readonly chats: ChatsService,
    private readonly turns: TurnsService,
    private readonly streams: AnswerStreams,
    private readonly waits: AnswerWaits,
    private readonly runs: RunsRepository,
  ) {}

  /** The next turn of the chat of an answer, or of a new chat. @throws 400, 404, 409, 422, 429, 503 */
  create(call: StreamCall, request: ResponseRequest, wanted: Wanted): Promise<Readable | ResponseDto> {
    const { caller } = call;
    const question = questionIn(request);
    return this.streams.withPermit(call, caller.userId, async () => {
      const chat = await this.chatFor(caller, request);
      const { runId } = await this.turns.send(caller, chat, {
        ...question,
        options: turnOptionsOf(wanted, request.previous),
      });
      const head = headOf(runId, chat, request.previous, request.isBackground);
      if (request.isStream) return this.open(call, chat, head, undefined);
      return request.isBackground ? responseView(head, 'queued') : this.ended(call, chat, head);
    });
  }

  /** @throws 404, 429 */
  async retrieve(call: StreamCall, id: string, query: ResponseQueryDto): Promise<Readable | ResponseDto> {
    const { chat, runId, previous, isOver, isQueued } = await this.find(call.caller, id);
    const head = headOf(runId, chat, previous, false);
    if (query.stream === true)
      return this.streams.withPermit(call, call.caller.userId, () =>
        Promise.resolve(this.open(call, chat, head, query.starting_after)),
      );
    return isOver ? this.ended(call, chat, head) : responseView(head, isQueued ? 'queued' : 'in_progress');
  }

  /** Ends it, and gives what there is of it; one that has ended stays as it is. @throws 404 */
  async cancel(call: StreamCall, id: string): Promise<ResponseDto> {
    const { chat, runId } = await this.find(call.caller, id);
    await this.turns.stopOne(call.caller, chat, runId);
    const { previous } = await this.find(call.caller, id);
    return this.ended(call, chat, headOf(runId, chat, previous, false));
  }

  private async chatFor(caller: Caller, { previous, asked: { model } }: ResponseRequest): Promise<Chat> {
    if (previous !== undefined) {
      const { chat } = await this.find(caller, previous, 'previous_response_id');
      if (chat.preset !== model)
        throw invalid('model', `The chat of previous_response_id has another model: ${chat.preset}`);
      return chat;
    }
    // No chat is made for a message that is refused.
    await this.turns.admit(caller, caller.userId);
    // The key is that of the message which follows: its repeat finds the same chat.
    if (caller.idempotency !== undefined) return this.chats.external(caller, chatOfKey(caller.idempotency.key), model);
    return this.chats.createChat(caller, { userId: caller.userId, preset: model });
  }

  private async find(caller: Caller, id: string, field?: string): Promise<Found> {
    const runId = decodeId('response', id);
    const run = runId === undefined ? undefined : await this.runs.place(caller.tenantId, runId);
    const chat = run && (await this.chats.findOwn(caller, run.room_id));
    if (runId === undefined || chat === undefined)
      throw field === undefined ? notFound('Response') : new AppError('NOT_FOUND', 'Response not found', { field });
    const previous = run?.previous ?? undefined;
    return { chat, runId, previous, isOver: run?.ended_at !== null, isQueued: run?.state === 'queued' };
  }

  private open(call: StreamCall, chat: Chat, head: ResponseHead, after: number | undefined): Readable {
    const position = { runId: head.uuid, afterIndex: indexAfter(after) };
    const opening = new ResponseEvents(head, after).created();
    return this.streams.open(call, chat, position, responseFormat(head, after), opening);
  }

  private async ended(call: StreamCall, chat: Chat, head: ResponseHead): Promise<ResponseDto> {
    const event = await this.waits.ended(chat, head.uuid, call.reply.raw, () => notFound('Response'));
    const end = endOf(event);
    return responseView(head, statusOf(end), end);
  }
}

function headOf(
  uuid: Turn['runId'],
  { preset }: Chat,
  previous: string | undefined,
  isBackground: boolean,
): ResponseHead {
  return { uuid, model: preset, previous, isBackground, isStored: true };
}

function chatOfKey(key: string): string {
  return `key-${createHash('sha256').update(key).digest('hex').slice(0, 40)}`;
}

/** `/v1/responses`: an answer that is kept, or one that belongs to its connection. */
@Injectable()
export class Responses {
  constructor(
    private readonly rules: OpenAiRules,
    private readonly stored: StoredResponses,
    private readonly stateless: StatelessAnswers,
  ) {}

  /** @throws 400, 403, 404, 409, 422, 429, 502, 503 */
  async create(call: StreamCall, body: CreateResponseDto): Promise<Readable | ResponseDto> {
    const request = responseRequest(body);
    forgetBody(call.reply);
    const caller = this.rules.callerOf(call.caller, body.user);
    if (request.isStored) this.rules.needUser(caller);
    else if (!this.rules.isFree(caller)) throw keysOnly('store');
    const wanted = await this.rules.wanted(caller, request.asked);
    const acting = { caller, reply: call.reply };
    if (!request.isStored) return this.withoutChat(acting, request, wanted);
    const answer = await this.stored.create(acting, request, wanted);
    call.caller.replayed = caller.replayed;
    return answer;
  }

  /** @throws 400, 404, 429 */
  async retrieve(call: StreamCall, id: string, query: ResponseQueryDto): Promise<Readable | ResponseDto> {
    this.rules.needUser(call.caller);
    if (query.starting_after !== undefined && query.stream !== true)
      throw invalid('starting_after', 'starting_after needs stream=true');
    return this.stored.retrieve(call, id, query);
  }

  /** @throws 400, 404 */
  async cancel(call: StreamCall, id: string): Promise<ResponseDto> {
    this.rules.needUser(call.caller);
    return this.stored.cancel(call, id);
  }

  private async withoutChat(
    call: StreamCall,
    { asked: { model }, messages, isStream }: ResponseRequest,
    wanted: Wanted,
  ): Promise<Readable | ResponseDto> {
    const callId = this.stateless.newId();
    const head = { uuid: callId, model, previous: undefined, isBackground: false, isStored: false };
    const ask = { callId, wanted, messages };
    if (isStream) return this.stateless.stream(call, ask, eventsOf(head));
    const { text, end } = await this.stateless.whole(call, ask);
    const { finishReason, usage, imagesLeftOut } = end;
    const ended = { text, finishReason, usage, imagesLeftOut };
    return responseView(head, statusOf(ended), ended);
  }
}

function eventsOf(head: ResponseHead): StatelessFormat {
  const events = new ResponseEvents(head);
  let whole = '';
  let index = 0;
  return {
    isNamed: true,
    begin: () => [...events.created(), ...events.begin()],
    text: (text) => {
      whole += text;
      return events.text(text, index++);
    },
    end: ({ finishReason, usage, imagesLeftOut }) => events.end({ text: whole, finishReason, usage, imagesLeftOut }),
    refusal: refusalEvent,
    lastWords: responsesLastWords,
  };
}
