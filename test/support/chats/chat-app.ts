import { startTestApp, type TestApp } from '../app';
import { OPENAI_WIRE, ProviderServer } from '../fake-model';
import type { Wire } from '../models/wire';

/** What is served, with a fake model that ends with it. */
export type WithModel<T> = T & { readonly model: ProviderServer };

/**
 * @param start gets the environment variables that lead to the model
 * @param wire of a model that is more particular than the usual fake
 */
export async function withModel<T extends { close(): Promise<void> }>(
  start: (env: Readonly<Record<string, string>>) => Promise<T>,
  wire: Wire = OPENAI_WIRE,
): Promise<WithModel<T>> {
  const model = await ProviderServer.start(wire);
  const app = await start({ OPENAI_BASE_URL: model.url });
  const close = async (): Promise<void> => {
    await app.close();
    await model.stop();
  };
  return { ...app, model, close };
}

/** @param more environment variables */
export function startChatApp(more: Readonly<Record<string, string>> = {}): Promise<WithModel<TestApp>> {
  return withModel((env) => startTestApp({ env: { ...env, ...more } }));
}
