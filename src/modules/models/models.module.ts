import { Module } from '@nestjs/common';
import { Models, Presets, type ModelPart, type ModelRequest, type Preset } from './contract';

class StubModels extends Models {
  available(): Promise<void> {
    return Promise.resolve();
  }
  async *stream(request: ModelRequest): AsyncIterable<ModelPart> {
    yield { type: 'start', channel: 'echo', model: 'echo' };
    for (const word of `You said: ${request.messages.at(-1)?.content ?? ''}`.split(/(?<= )/)) {
      await new Promise((r) => setImmediate(r));
      request.signal.throwIfAborted();
      yield { type: 'delta', text: word };
    }
    yield {
      type: 'end',
      usage: { promptTokens: 1, completionTokens: 2, totalTokens: 3, estimated: true },
      finishReason: 'stop',
    };
  }
}
class StubPresets extends Presets {
  find(_tenantId: string, name: string): Promise<Preset | undefined> {
    return Promise.resolve(
      name !== 'default'
        ? undefined
        : { name, systemPrompt: '', model: null, temperature: null, maxTokens: null, contextMessages: 20 },
    );
  }
}
@Module({
  providers: [
    { provide: Models, useClass: StubModels },
    { provide: Presets, useClass: StubPresets },
  ],
  exports: [Models, Presets],
})
export class ModelsModule {}
