/**
 * The bare reference: Fastify with a compiled schema and a lean batched append on PostgreSQL. No Nest, no credentials,
 * no limits, no membership; one repeated client_message_id fails its whole batch. It shows what the machine allows,
 * not what a chat server may do. `node rest.mjs '<json>'`: {connection, rooms, roomsFile, append: 'batch'|'stub'}.
 */
import { createRequire } from 'node:module';
import { openAppend, sendRoute } from './send-route.mjs';

const require = createRequire(import.meta.url);
const app = require('fastify')();
sendRoute(app, await openAppend(JSON.parse(process.argv[2])));
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listens on http://127.0.0.1:${app.server.address().port}`);
process.on('SIGTERM', () => process.exit(0));
