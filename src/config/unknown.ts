import type { EnvField } from './field';

/** What docker-compose.yml takes from the same .env. */
const OF_COMPOSE = ['POSTGRES_PASSWORD', 'CHATAPI_DB_PASSWORD', 'CHATAPI_PORT'];
/** Names shorter than this are like many others (HOME and HOST). */
const LONG = 6;

/**
 * Variables that are not ours and look as if they were meant to be, each with the name that is nearest: all in .env,
 * which is ours alone, and of the whole environment those that begin with CHATAPI_ or are one or two typing errors away.
 * @param inFile the names in .env
 */
export function unknownVariables(
  fields: readonly Pick<EnvField<unknown>, 'name'>[],
  env: NodeJS.ProcessEnv,
  inFile: readonly string[],
): string[] {
  const ours = fields.map(({ name }) => name);
  const known = new Set([...ours, ...OF_COMPOSE]);
  return [...new Set([...inFile, ...Object.keys(env)])].sort().flatMap((name) => {
    if (known.has(name)) return [];
    const near = nearest(name, ours);
    const isMeant = near !== undefined || inFile.includes(name) || name.startsWith('CHATAPI_');
    return isMeant ? [near === undefined ? name : `${name} (did you mean ${near}?)`] : [];
  });
}

function nearest(name: string, ours: readonly string[]): string | undefined {
  const wanted = name.toUpperCase().replace(/^CHATAPI_/, '');
  const [best] = ours
    .map((own) => ({ own, typos: distance(wanted, own) }))
    .filter(({ own, typos }) => typos <= (Math.min(own.length, wanted.length) < LONG ? 1 : 2))
    .sort((a, b) => a.typos - b.typos);
  return best?.own;
}

/** Letters that are wrong, missing or too many, and neighbours that are swapped (Damerau-Levenshtein). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (isSame ? 0 : 1),
          isSwapped ? at(i - 2, j - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
