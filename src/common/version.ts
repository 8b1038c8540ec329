import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The release that runs, as package.json has it. The file lies two levels up from src/common and from dist/common. */
export const VERSION = (
  JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as { readonly version: string }
).version;

/** The order of two releases by Semantic Versioning: negative where `a` came before `b`. */
export function compareVersions(a: string, b: string): number {
  const [[coreA = '', preA], [coreB = '', preB]] = [parts(a), parts(b)];
  const order = compareIdentifiers(coreA, coreB);
  if (order !== 0 || preA === preB) return order;
  // A release comes behind its own pre-releases.
  if (preA === undefined || preB === undefined) return preA === undefined ? 1 : -1;
  return compareIdentifiers(preA, preB);
}

/** `1.2.3` and, where there is one, the pre-release. */
function parts(version: string): (string | undefined)[] {
  return version.split('+', 1)[0]?.split(/-(.*)/s, 2) ?? [];
}

/** Dot by dot: numbers by their size, and before words; the shorter list first. */
function compareIdentifiers(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (const [i, x] of left.entries()) {
    const y = right[i];
    if (y === undefined) return 1;
    if (x === y) continue;
    const [isNumberX, isNumberY] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isNumberX && isNumberY) return Number(x) - Number(y);
    if (isNumberX !== isNumberY) return isNumberX ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
