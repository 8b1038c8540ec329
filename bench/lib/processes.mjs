/** Child processes of a benchmark: each has an owner that ends it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from './stats.mjs';

const HTTP_LOAD = fileURLToPath(new URL('./http-load.mjs', import.meta.url));

/** Servers that run: they end with the bench, also where that fails. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a server and resolves with its output so far once a line matches; `stop` ends it. */
export function startServer(command, args, env, ready) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, ...env } });
    let output = '';
    running.add(child);
    child.once('exit', () => running.delete(child));
    const stop = () =>
      new Promise((done) => {
        if (child.exitCode !== null) return done();
        child.once('exit', done);
        child.kill('SIGTERM');
      });
    const read = (chunk) => {
      output += chunk;
      if (ready.test(output)) resolve({ pid: child.pid, output, stop });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`${command} ${args.join(' ')} ended with ${code}\n${output}`)));
  });
}

/** Runs one HTTP load and says what it cost: CPU µs per request of the watched process trees. */
export function load(options, watched) {
  return runLoad(HTTP_LOAD, options, watched);
}

/**
 * Runs a load script and returns the line that it prints, with `cpu`: µs per counted thing of the watched process
 * trees between its messages `measuring` and `measured` (or its end). `onMessage` hears of every message.
 */
export function runLoad(script, options, watched, onMessage = () => undefined) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const usage = () => Object.fromEntries(Object.entries(watched).map(([name, pid]) => [name, cpuSeconds(pid)]));
    let before;
    let after;
    let output = '';
    child.on('message', (message) => {
      if (message === 'measuring') before = usage();
      if (message === 'measured') after = usage();
      onMessage(message);
    });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`the load ended with ${code}`));
      const result = JSON.parse(output);
      const end = after ?? usage();
      const counted = Math.max(1, result.ok + result.failed);
      const cost = (name) => ((end[name] - (before?.[name] ?? end[name])) * 1e6) / counted;
      resolve({ ...result, cpu: Object.fromEntries(Object.keys(watched).map((name) => [name, cost(name)])) });
    });
  });
}
