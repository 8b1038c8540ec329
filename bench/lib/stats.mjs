/** Histograms, medians, and what a process tree costs. Linux only: it reads /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const BUCKETS = 2400;

/** Latencies in ms, about 1 % exact. */
export class Histogram {
  constructor() {
    this.buckets = new Uint32Array(BUCKETS);
    this.count = 0;
  }

  add(ms) {
    const us = ms * 1000;
    this.buckets[us < 1 ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log(us) * 100))]++;
    this.count++;
  }

  quantile(p) {
    const wanted = Math.ceil(this.count * p);
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.buckets[i];
      if (seen >= wanted && wanted > 0) return Math.exp((i + 0.5) / 100) / 1000;
    }
    return 0;
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/**
 * The median of ratios and its 95 % interval by bootstrap, so that a noisy machine shows itself in the interval.
 * @returns {{ median: number, from: number, to: number }}
 */
export function medianRatio(ratios, draws = 2000) {
  const drawn = () => ratios[Math.floor(Math.random() * ratios.length)];
  const medians = Array.from({ length: draws }, () => median(ratios.map(drawn))).sort((a, b) => a - b);
  return { median: median(ratios), from: medians[Math.floor(draws * 0.025)], to: medians[Math.floor(draws * 0.975)] };
}

/** CPU seconds that a process and its descendants have used so far. */
export function cpuSeconds(pid) {
  const children = new Map();
  const cpu = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const parent = Number(fields[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
      // utime, stime and those of children that have ended, in ticks of 10 ms
      cpu.set(Number(name), (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / 100);
    } catch {
      // gone meanwhile
    }
  }
  let total = 0;
  for (const queue = [Number(pid)]; queue.length > 0;) {
    const next = queue.pop();
    total += cpu.get(next) ?? 0;
    queue.push(...(children.get(next) ?? []));
  }
  return total;
}

/** Resident memory of one process, in bytes. */
export function residentBytes(pid) {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  return pages * 4096;
}

/** CPU µs that the main thread of a process has used so far, to the nanosecond, once it sleeps. */
export function cpuMicros(pid) {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1000;
}

/** Memory of one process that is its own, in bytes: without what it shares. */
export function privateBytes(pid) {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024;
}
