/**
 * `npm run bench:guard`: CPU µs per request of the global guard: its `canActivate` and what Nest adds to call it. Two
 * kinds of processes in turns, one with the guard; the handler that Nest gave to Fastify is called as Fastify would call it.
 * Environment: BENCH_ROUNDS (21) of a process each.
 */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { table, writeSection } from './lib/report.mjs';
import { median } from './lib/stats.mjs';

const require = createRequire(import.meta.url);
require('reflect-metadata');
const { Controller, Get, Module } = require('@nestjs/common');
const { APP_GUARD, NestFactory } = require('@nestjs/core');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const { Access, ApiKeyGuard, CredentialVerifier } = require('../dist/platform/auth');

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 21);
const BATCH = 10_000;
const BATCHES = 9;
let calls = 0;

/** The handler of a route of an application that has these providers. */
async function handlerWith(providers) {
  class ProbeController {
    answer() {
      calls++;
      return {};
    }
  }
  const method = [ProbeController.prototype, 'answer'];
  const descriptor = Object.getOwnPropertyDescriptor(...method);
  for (const decorate of [Get(), Access('user')]) decorate(...method, descriptor);
  Controller('probe')(ProbeController);
  class ProbeModule {}
  Module({ controllers: [ProbeController], providers })(ProbeModule);
  const app = await NestFactory.create(ProbeModule, new FastifyAdapter(), { logger: false });
  let found;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ method: verb, url, handler }) => {
      if (verb === 'GET' && url === '/probe') found = handler;
    });
  await app.init();
  return found;
}

const reply = {
  code: () => reply,
  status: () => reply,
  send: () => reply,
  header: () => reply,
  getHeader: () => undefined,
  raw: {},
};
const request = { caller: {}, routeOptions: { config: { access: { access: 'user' } } }, raw: {} };

async function microsecondsPerCall(handler) {
  const begun = process.cpuUsage();
  for (let i = 0; i < BATCH; i++) await handler(request, reply);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / BATCH;
}

const GUARD = [
  { provide: CredentialVerifier, useValue: {} },
  { provide: APP_GUARD, useClass: ApiKeyGuard },
];

/** A process of this file that measures one side; in its own, so that the other side's calls do not shape its code. */
function measured(side) {
  return Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), side], { encoding: 'utf8' }));
}

const [side] = process.argv.slice(2);
if (side !== undefined) {
  const handler = await handlerWith(side === 'guarded' ? GUARD : []);
  await microsecondsPerCall(handler);
  const batches = [];
  for (let i = 0; i < BATCHES; i++) batches.push(await microsecondsPerCall(handler));
  if (calls !== BATCH * (BATCHES + 1)) throw new Error(`the handler ran ${calls} times: ${side}`);
  console.log(median(batches));
} else {
  const costs = { bare: [], guarded: [], difference: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? ['bare', 'guarded'] : ['guarded', 'bare'];
    for (const name of order) costs[name].push(measured(name));
    costs.difference.push(costs.guarded[round] - costs.bare[round]);
  }
  const figure = (name) => median(costs[name]).toFixed(2);
  await writeSection(
    'guard',
    table([
      {
        '': 'CPU µs per call of a handler',
        'with the guard': figure('guarded'),
        without: figure('bare'),
        difference: figure('difference'),
      },
    ]),
  );
}
