/** Child processes of a benchmark: each has an owner that ends it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuSeconds } from './stats.mjs';

const HTTP_LOAD = fileURLToPath(new URL('./http-load.mjs', import.meta.url));

/** Starts a server and resolves with its output so far once a line matches; `stop` ends it. */
export function startServer(command, args, env, ready) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, ...env } });
    let output = '';
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

/** Runs one load and says what it cost: CPU µs per request of the watched process trees. */
export function load(options, watched) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [HTTP_LOAD, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    const before = {};
    let output = '';
    child.on('message', () => {
      for (const [name, pid] of Object.entries(watched)) before[name] = cpuSeconds(pid);
    });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('exit', (code) => {
      if (code !== 0) return reject(new Error(`the load ended with ${code}`));
      const result = JSON.parse(output);
      const cpu = {};
      for (const [name, pid] of Object.entries(watched))
        cpu[name] = ((cpuSeconds(pid) - before[name]) * 1e6) / Math.max(1, result.ok + result.failed);
      resolve({ ...result, cpu });
    });
  });
}
