/** A child process that answers questions one after the other: who measures decides when each of them begins. */
import { fork } from 'node:child_process';

/**
 * Starts a script that calls `answer`.
 * @returns `ask(name, argument)`, which resolves with the answer, and `stop()`
 */
export function startAsked(script, options) {
  const child = fork(script, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  let waiting;
  child.on('message', ({ result, error }) => (error ? waiting?.reject(new Error(error)) : waiting?.resolve(result)));
  child.on('exit', (code) => waiting?.reject(new Error(`${script} ended with ${code}`)));
  return {
    pid: child.pid,
    ask: (name, argument) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        child.send({ name, argument });
      }),
    async stop() {
      waiting = undefined;
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The child's side: what it is asked by name. It ends with who asks. */
export function answer(answers) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async ({ name, argument }) => {
    try {
      process.send({ result: (await answers[name](argument)) ?? null });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
}
