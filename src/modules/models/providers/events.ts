import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';

/** The `data` of the server-sent events in a stream of bytes, which may be cut anywhere. */
export async function* eventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let events: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(data) });
  for await (const bytes of body) {
    parser.feed(decoder.write(bytes));
    if (events.length === 0) continue;
    const read = events;
    events = [];
    yield* read;
  }
}
