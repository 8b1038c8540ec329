import { readFileSync, writeFileSync } from 'node:fs';

/**
 * What some work adds to the memory of a process, in MB: the most that it had meanwhile, over what it had before.
 * @param work run once
 * @returns what the work returned, with the seconds that it took
 */
export async function memoryOf(pid, work) {
  const before = residentMb(pid, 'VmRSS');
  // From here on the system notes the most.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const begun = performance.now();
  const result = await work();
  return {
    result,
    seconds: (performance.now() - begun) / 1000,
    before,
    more: residentMb(pid, 'VmHWM') - before,
  };
}

/** The columns of a table that says it. @param most so many MB it may add */
export function memoryColumns({ seconds, before, more }, most) {
  return {
    seconds: seconds.toFixed(1),
    'MB before': before.toFixed(0),
    'MB more': more.toFixed(0),
    [`≤${most} MB`]: more <= most ? 'yes' : 'NO',
  };
}

function residentMb(pid, name) {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1]) / 1024;
}
