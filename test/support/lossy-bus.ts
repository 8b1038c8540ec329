import type { Type } from '@nestjs/common';
import type { App } from '../../src/app';
import type { AppConfig } from '../../src/config';
import type { ChatHint } from '../../src/modules/chats/streams/chat-hub';
import { createNest, listen } from '../../src/nest';
import { type Address, Bus, type Topic } from '../../src/platform/cluster';
import { openDatabase } from '../../src/platform/database';
import { Lifecycle } from '../../src/platform/lifecycle';
import type { Log } from '../../src/platform/logging';
import { loadSecrets } from '../../src/platform/secrets';

/** What can be lost: a kind of what nodes tell each other of a chat, or that a run is to stop. */
export type LostKind = ChatHint['kind'] | 'stop';

/**
 * Loses chosen hints of a server's bus without a trace: no number is used up, as where the last envelope before a silence is
 * lost. So the server is, for these, as a node whose answers are written and whose chats are changed by others.
 */
export class HintLoss {
  /** What was lost, in its order. */
  readonly lost: LostKind[] = [];
  private kinds: ReadonlySet<LostKind> = new Set();

  constructor(private readonly bus: Bus) {
    const publish = bus.publish.bind(bus);
    bus.publish = <T>(topic: Topic<T>, payload: NoInfer<T>, to?: Address): void => {
      const kind = kindOf(topic, payload);
      if (kind !== undefined && this.kinds.has(kind)) this.lost.push(kind);
      else publish(topic, payload, to);
    };
  }

  /** From now on; without any: none. */
  lose(...kinds: readonly LostKind[]): void {
    this.kinds = new Set(kinds);
    this.lost.length = 0;
  }

  /** The bus says that it is down: who waits looks four times a second. */
  sayDown(): void {
    Object.defineProperty(this.bus, 'state', { value: 'down' });
  }
}

function kindOf(topic: string, payload: unknown): LostKind | undefined {
  if (topic === 'run-stops') return 'stop';
  return topic === 'chat-hints' ? (payload as { readonly hint: ChatHint }).hint.kind : undefined;
}

/** Starts a server as `createApp` does, and gives out the loss of its hints. */
export function lossyStart(onStarted: (loss: HintLoss) => void): (config: AppConfig, log: Log) => Promise<App> {
  return async (config, log) => {
    const lifecycle = new Lifecycle(log, config.runtime.shutdownGraceMs);
    const database = await openDatabase({ config: config.database, log, lifecycle, onProgress: () => undefined });
    const nest = await createNest({ config, log, lifecycle, secrets: loadSecrets(config) }, database);
    onStarted(new HintLoss(nest.get<Bus>(Bus as unknown as Type<Bus>, { strict: false })));
    const listening = await listen(nest, config, lifecycle);
    return { ...listening, lifecycle, firstStart: undefined, newMasterKey: undefined };
  };
}
