/** What an answer costs before its first token: how long it takes to begin, and what one that waits for its model keeps. */
import { post } from './cluster.mjs';
import { retainedBytes } from './inspected.mjs';
import { median } from './stats.mjs';

const MOST_MS = 120_000;

/** @param count questions, one after the other. Median ms from the commit of a message to the request at the model */
export async function startMs({ server, cluster, model, chat }, count) {
  for (let n = 0; n < count; n++) {
    const id = await chat(server);
    const said = await post(`${server.url}/api/v1/chats/${id}/messages`, server.headers, { content: `start ${n}` });
    if (said.answer.status !== 'completed') throw new Error(`an answer is ${said.answer.status}`);
  }
  const asked = new Map(await told(model, 'starts'));
  const sql = `SELECT content, (extract(epoch FROM created_at) * 1000)::float8 AS at FROM messages WHERE content LIKE 'start %'`;
  const rows = await cluster.sql('ai', sql);
  if (rows.length !== count) throw new Error(`${rows.length} of ${count} questions are stored`);
  return median(rows.map(({ content, at }) => asked.get(content) - at));
}

/** @param count answers that wait at the same time, of several tenants. Bytes that each of them keeps */
export async function waitingBytes({ server, model, limits }, count) {
  const tenants = [];
  // One tenant has at most 512 answers written at a time, whatever its limits say.
  for (let n = 0; n < Math.ceil(count / 400); n++) tenants.push(await server.tenant(limits));
  const wait = async (many) => {
    for (let n = 0; n < many; n++) {
      const { url, headers } = tenants[n % tenants.length];
      await post(`${url}/v1/responses`, headers, { model: 'default', input: 'wait', background: true });
    }
    await until(async () => (await told(model, 'waiting')) === many);
  };
  const release = async () => {
    await fetch(`${model}/release`, { method: 'POST' });
    await until(async () => Number(/^chatapi_runs_live (\d+)$/m.exec(await metrics(server))?.[1]) === 0);
  };
  // What is made once, such as code and prepared statements, is there before it is counted.
  await wait(Math.min(count, 50));
  await release();
  const before = await retainedBytes(server.output);
  await wait(count);
  const meanwhile = await retainedBytes(server.output);
  await release();
  return (meanwhile - before) / count;
}

async function metrics({ url, master }) {
  return (await fetch(`${url}/metrics`, { headers: master })).text();
}

async function told(model, what) {
  return (await fetch(`${model}/${what}`)).json();
}

async function until(holds) {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > MOST_MS) throw new Error('what was waited for did not come');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
