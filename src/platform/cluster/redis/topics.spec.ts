import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, sourcesIn } from '../../../../test/support/sources';
import { BUS_TOPICS } from './topics';

/** `const ROOM_HINTS: Topic<…> = 'room-hints'` */
const DECLARED = /^(?:export )?const \w+: Topic<.*> = '([\w-]+)';$/gm;

describe('the topics of the bus', () => {
  it('have a number each, all that the code declares and no others', () => {
    const declared = sourcesIn(join(ROOT, 'src')).flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(DECLARED)].map(([, topic]) => topic),
    );
    expect(declared.sort()).toEqual(Object.keys(BUS_TOPICS).sort());
  });

  it('share no number, and fit into a byte', () => {
    const numbers = Object.values(BUS_TOPICS);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect(number >= 1 && number <= 255 && Number.isInteger(number)).toBe(true);
  });
});
