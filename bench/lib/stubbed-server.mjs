/**
 * Our server with everything but the log: the append answers from memory. What is left is the cost of a request.
 * `node stubbed-server.mjs` takes the same environment as the server and prints its first-start banner.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { Test } = require('@nestjs/testing');
const { AppModule } = require('../../dist/app.module');
const { loadConfig } = require('../../dist/config');
const { FirstStartService } = require('../../dist/modules/admin');
const { AppendRepository } = require('../../dist/modules/messages/appender/append.repository');
const { openDatabase } = require('../../dist/platform/database');
const { HttpAdapter, installHttp } = require('../../dist/platform/http');
const { Lifecycle } = require('../../dist/platform/lifecycle');
const { SilentLog } = require('../../dist/platform/logging');
const { loadSecrets } = require('../../dist/platform/secrets');

/** Room → last number: rooms that the bench makes begin at 0, and a stubbed message is one revision. */
const numbers = new Map();

function next(roomId) {
  const number = (numbers.get(roomId) ?? 0) + 1;
  numbers.set(roomId, number);
  return number;
}

const memory = {
  append: async (batch) => {
    const at = new Date();
    return batch.map((m, i) => {
      const number = next(m.roomId);
      return { item: i + 1, status: 'new', message_id: m.messageId, seq: number, rev: number, created_at: at };
    });
  },
  lookup: async () => [],
  analyze: async () => undefined,
};

const config = loadConfig(process.env);
const log = new SilentLog();
const lifecycle = new Lifecycle(log);
const database = await openDatabase({ config: config.database, log, lifecycle, onProgress: () => undefined });
const resources = { config, log, lifecycle, secrets: loadSecrets(config) };
const module = await Test.createTestingModule({ imports: [AppModule.register(resources, database)] })
  .overrideProvider(AppendRepository)
  .useValue(memory)
  .compile();
const nest = module.createNestApplication(new HttpAdapter(config.http), { bodyParser: false, logger: false });
await installHttp(nest);
await nest.listen(0, '127.0.0.1');
const { apiKey } = await nest.get(FirstStartService).run();
console.log(`listens on http://127.0.0.1:${nest.getHttpServer().address().port}\n${apiKey}\ncurl -X POST`);
process.on('SIGTERM', () => lifecycle.stop('done').then(() => process.exit(0)));
