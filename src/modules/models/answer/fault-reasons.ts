import { AppError } from '../../../common/errors';
import type { FaultReason } from '../contract';

/** What whoever runs the assistant, or asks it, can do. */
const HINTS: Readonly<Record<FaultReason, string>> = {
  auth: 'The provider refuses the key of the model channel: an administrator has to set a valid one (PATCH /api/channels/{id}, or OPENAI_API_KEY)',
  money: "The account at the model's provider has no money or quota left: an administrator has to top it up",
  pace: "The model's provider asks for a slower pace: ask again after the time in Retry-After",
  model:
    'The model channel does not know this model: correct the model of the preset or of the channel, or the base URL of the channel',
  overflow: 'The chat is longer than the model can read: begin a new chat, or clear this one',
  content: "The model's provider refuses the content: say it in other words",
  request:
    "The model's provider does not take the request: check the parameters of the preset and of the channel (GET /api/channels/{id} says what it objects to)",
  timeout:
    'The model was silent, or took too long: ask again, or raise the timeouts of the model channel (PATCH /api/channels/{id})',
  reasoning: 'The model used all its tokens for thinking: raise maxTokens of the preset, or lower its reasoning effort',
  empty: 'The model answered without any text: ask again, or choose another model',
  provider: 'Ask again; if it stays, check the model channel (GET /api/channels/{id})',
};

/** What to do about a fault, for people. */
export function hintOfReason(reason: FaultReason): string {
  return HINTS[reason];
}

/** What an error that `Models.stream` has thrown is about; undefined where it does not say. */
export function faultReasonOf(error: unknown): FaultReason | undefined {
  const reason = error instanceof AppError ? error.details?.['reason'] : undefined;
  return isReason(reason) ? reason : undefined;
}

function isReason(value: unknown): value is FaultReason {
  return typeof value === 'string' && Object.hasOwn(HINTS, value);
}
