import type { FinishReason } from '../../models';
import type { RunFailure, TokenUsage } from '../contract';

/** How an answer ended. */
export interface RunOutcome {
  readonly status: 'completed' | 'cancelled' | 'interrupted' | 'failed';
  readonly finishReason: FinishReason | 'stopped' | 'error';
  readonly usage: TokenUsage | undefined;
  readonly failure?: RunFailure;
}

/** Before it began: nobody was asked. */
export const STOPPED: RunOutcome = { status: 'cancelled', finishReason: 'stopped', usage: undefined };
