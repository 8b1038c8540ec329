/** What a Node.js process that was started with `--inspect` keeps in memory. */
import { createRequire } from 'node:module';

const WebSocket = createRequire(import.meta.url)('ws');

/**
 * Bytes of the heap and outside of it that are still there after a garbage collection; what the system keeps for sockets is
 * not among them.
 * @param output of the process: it says there where its inspector listens
 */
export async function retainedBytes(output) {
  const [, url] = /Debugger listening on (ws:\S+)/.exec(output) ?? [];
  if (url === undefined) throw new Error('the process has no inspector');
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  let id = 0;
  const ask = (method, params = {}) =>
    new Promise((resolve, reject) => {
      const own = ++id;
      const hear = (data) => {
        const answer = JSON.parse(data);
        if (answer.id !== own) return;
        socket.off('message', hear);
        if (answer.error === undefined) resolve(answer.result);
        else reject(new Error(`${method}: ${answer.error.message}`));
      };
      socket.on('message', hear);
      socket.send(JSON.stringify({ id: own, method, params }));
    });
  await ask('HeapProfiler.enable');
  // What a first one finds finalised a second one frees.
  for (let times = 0; times < 3; times++) await ask('HeapProfiler.collectGarbage');
  const expression = 'JSON.stringify(process.memoryUsage())';
  const { result } = await ask('Runtime.evaluate', { expression });
  socket.close();
  const { heapUsed, external } = JSON.parse(result.value);
  return heapUsed + external;
}
