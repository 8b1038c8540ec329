/**
 * Models: the ways to a model (channels), and presets (docs/adr/0021).
 *
 * Owns the tables model_channels and presets. Invariants: a tenant's channels are tried before the environment's; the
 * next one is tried only before the first token; the echo answers only where no channel exists at all; keys are sealed
 * at rest and never shown; a channel of a tenant reaches no private address unless that is allowed.
 *
 * Only the channel's own faults move a breaker, per channel and model; the environment's channel is closed for a tenant
 * before it is for all. What a provider said may quote a prompt: it is in no log and no table.
 *
 * Concurrency: a request holds nothing but its own connection. Breakers, what was learned of a channel, and what providers
 * said are this node's memory; what a node knows of a tenant's channels is at most 2 s old.
 */
export {
  type AnswerBound,
  CallCharges,
  type ChargedCall,
  type AnswerOptions,
  checkedResponseFormat,
  type FaultReason,
  type FinishReason,
  type ModelImage,
  type ModelMessage,
  type ModelPart,
  type ModelPrices,
  type ModelRequest,
  type ModelTrace,
  type ModelUsage,
  type Preset,
  REASONING_EFFORTS,
  type ReasoningEffort,
  type ResponseFormat,
} from './contract';
export { IMAGE_PLACE, imageOfUrl, imagePlace, imagePlacesIn, MAX_IMAGES } from './images';
export { faultReasonOf, hintOfReason } from './routing/fault-book';
export { BETWEEN_MESSAGES, estimateTokens, imageTokens, joinNeighbours } from './answer/answer';
export { ChannelKeys } from './channels/channel-directory';
export { ModelsModule } from './models.module';
export { DEFAULT_PRESET } from './presets/presets.repository';
export { PresetsService } from './presets/presets.service';
export { ModelsService } from './routing/models.service';
