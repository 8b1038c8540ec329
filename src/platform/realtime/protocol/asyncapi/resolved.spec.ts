import type { AsyncApiDocument } from './document';
import { resolvedDocument } from './resolved';

it('puts what is referred to in the place of references, and names things as the parser does', () => {
  const document: AsyncApiDocument = {
    asyncapi: '3.0.0',
    channels: { socket: { messages: { ping: { $ref: '#/components/messages/ping' } } } },
    operations: { ping: { channel: { $ref: '#/channels/socket' } } },
    components: {
      messages: { ping: { payload: { $ref: '#/components/schemas/Ping' } } },
      schemas: { Ping: { type: 'object' } },
      securitySchemes: {},
    },
  };
  const ping = { payload: { type: 'object' }, 'x-parser-unique-object-id': 'ping' };
  const socket = { messages: { ping }, 'x-parser-unique-object-id': 'socket' };
  expect(resolvedDocument(document)).toEqual({
    asyncapi: '3.0.0',
    channels: { socket },
    operations: { ping: { channel: socket, 'x-parser-unique-object-id': 'ping' } },
    components: { messages: { ping }, schemas: { Ping: { type: 'object' } }, securitySchemes: {} },
    'x-parser-spec-parsed': true,
    'x-parser-api-version': 3,
  });
});
