import { AppError } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import { type AnswerOptions, checkedResponseFormat } from '../../models';
import type { AnswerOptionsDto, CamelAnswerOptionsDto } from '../dto/answer-options.dto';

/** What a body says of how the answer is wanted; undefined: nothing. @throws 403 for users, who get what a preset says */
export function answerOptions(caller: Caller, body: AnswerOptionsDto): AnswerOptions | undefined {
  const { top_p, max_tokens, reasoning_effort, response_format } = body;
  const { model, temperature, stop, seed } = body;
  refuseUsers(caller, { model, temperature, top_p, max_tokens, stop, reasoning_effort, response_format, seed });
  return said({
    ...{ model, temperature, topP: top_p, maxTokens: max_tokens, stop, reasoningEffort: reasoning_effort, seed },
    responseFormat: response_format && checkedResponseFormat(response_format, 'response_format'),
  });
}

/** The same of a body of the Conversations API. */
export function camelAnswerOptions(caller: Caller, body: CamelAnswerOptionsDto): AnswerOptions | undefined {
  const { model, temperature, topP, maxTokens, stop, reasoningEffort, responseFormat, seed } = body;
  refuseUsers(caller, { model, temperature, topP, maxTokens, stop, reasoningEffort, responseFormat, seed });
  return said({
    ...{ model, temperature, topP, maxTokens, stop, reasoningEffort, seed },
    responseFormat: responseFormat && checkedResponseFormat(responseFormat, 'responseFormat'),
  });
}

function refuseUsers({ kind }: Caller, fields: Readonly<Record<string, unknown>>): void {
  if (kind === 'key') return;
  const [field] = Object.entries(fields).find(([, value]) => value !== undefined) ?? [];
  if (field !== undefined)
    throw new AppError('AUTHORIZATION_ERROR', `Only API keys may set ${field}: leave it out`, { field });
}

function said(options: AnswerOptions): AnswerOptions | undefined {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}
