import fc from 'fast-check';
import type { LoggedMessage } from '../../messages';
import type { ModelMessage, Preset } from '../../models';
import { contextOf, countUsage, halfOf, mostTold } from './answerer';

const ROOMY = 16_000;

const preset = (more: Partial<Preset> = {}): Preset => ({
  name: 'default',
  systemPrompt: '',
  model: null,
  temperature: null,
  maxTokens: null,
  options: {},
  contextMessages: 20,
  contextTokens: null,
  keepReasoning: false,
  ...more,
});

function said(content: string, kind: LoggedMessage['kind'] = 'user'): LoggedMessage {
  return { content, kind } as LoggedMessage;
}

/** As the log gives it: any messages of either side, the one that is answered last. */
const history = (contents: fc.Arbitrary<string>): fc.Arbitrary<LoggedMessage[]> => {
  const kind = fc.constantFrom<LoggedMessage['kind']>('user', 'assistant', 'system');
  return fc
    .tuple(fc.array(fc.tuple(contents, kind), { maxLength: 30 }), contents)
    .map(([before, asked]) => [...before.map(([content, its]) => said(content, its)), said(asked)]);
};
const short = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('', ' ', '\n\t ', '\u3000'));
const long = fc
  .tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }), fc.nat(4000))
  .map(([text, n]) => text.repeat(n));

/** Begins and ends with a user, who takes turns with the assistant. */
function expectTurns(told: readonly ModelMessage[]): void {
  expect(told.map(({ role }) => role)).toEqual(told.map((_, i) => (i % 2 === 0 ? 'user' : 'assistant')));
  expect(told.at(-1)?.role).toBe('user');
}

describe('A2 what a model is told', () => {
  it('is the system prompt, if there is one, and the messages with their roles', () => {
    const messages = [said('one'), said('two', 'assistant'), said('three')];
    const told = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ];
    expect(contextOf('', messages, ROOMY)).toEqual(told);
    expect(contextOf('Be brief.', messages, ROOMY)).toEqual([{ role: 'system', content: 'Be brief.' }, ...told]);
  });

  it('A2: takes turns, begins and ends with a user, and ends with what is answered, whatever the log holds', () => {
    fc.assert(
      fc.property(history(fc.oneof(short, long)), fc.nat(5000), (messages, most) => {
        const told = contextOf('', messages, most);
        expectTurns(told);
        const asked = messages.at(-1)?.content ?? '';
        const last = told.at(-1)?.content ?? '';
        // Whole, or its beginning and its end.
        expect(last.endsWith(asked) || last.endsWith(asked.slice(-20))).toBe(true);
      }),
    );
  });

  it('A2: leaves out what is blank, and loses nothing else that fits', () => {
    fc.assert(
      fc.property(history(short), (messages) => {
        const begin = messages.findIndex(({ kind, content }) => kind === 'user' && content.trim() !== '');
        const asked = messages.length - 1;
        const wanted = messages.filter(
          ({ kind, content }, i) =>
            i === asked || (begin >= 0 && i >= begin && kind !== 'system' && content.trim() !== ''),
        );
        const told = contextOf('', messages, ROOMY);
        expect(told.map(({ content }) => content).join('\n\n')).toBe(wanted.map(({ content }) => content).join('\n\n'));
      }),
    );
  });

  it('A2: is the same for what was never answered: questions in a row are one', () => {
    const messages = [
      said('one'),
      said('two'),
      said('half an ans', 'assistant'),
      said('er', 'assistant'),
      said('three'),
    ];
    expect(contextOf('', messages, ROOMY)).toEqual([
      { role: 'user', content: 'one\n\ntwo' },
      { role: 'assistant', content: 'half an ans\n\ner' },
      { role: 'user', content: 'three' },
    ]);
  });
});

describe('A9 how much a model is told', () => {
  it('A9: fits, as soon as there is room for a piece of the question', () => {
    fc.assert(
      fc.property(history(fc.oneof(short, long)), fc.integer({ min: 100, max: 5000 }), (messages, most) => {
        expect(countUsage(contextOf('', messages, most), '').promptTokens).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('A9: is the newest messages; those that are not giant stay whole', () => {
    fc.assert(
      fc.property(history(short), fc.integer({ min: 300, max: 800 }), (messages, most) => {
        const told = contextOf('', messages, most);
        const whole = contextOf('', messages, Infinity)
          .map(({ content }) => content)
          .join('\n\n');
        expect(whole.endsWith(told.map(({ content }) => content).join('\n\n'))).toBe(true);
      }),
    );
  });

  it('A9: a giant answer is cut in its middle and says so; what lies before it stays', () => {
    const giant = `begin${'é😀'.repeat(12_000)}end`;
    const messages = [said('My name is Ada'), said(giant, 'assistant'), said('continue')];
    const [first, answer, asked] = contextOf('', messages, ROOMY);
    expect([first?.content, asked?.content]).toEqual(['My name is Ada', 'continue']);
    expect(answer?.content).toMatch(/^begin[é😀]+\n\[… \d+ characters were left out here …\]\n[é😀]+end$/u);
    const [, note] = /… (\d+) characters/.exec(answer?.content ?? '') ?? [];
    const kept = (answer?.content ?? '').replace(/\n\[….*…\]\n/, '');
    expect(Number(note)).toBe(giant.length - kept.length);
    // As much of it as there is room for.
    expect(countUsage([{ role: 'assistant', content: kept }], '').promptTokens).toBeGreaterThan(ROOMY - 100);
  });

  it('A9: two giant messages leave room for each other, and for the first question', () => {
    const giant = 'x'.repeat(80_000);
    const messages = [said('first'), said(giant, 'assistant'), said(giant), said(giant, 'assistant'), said('and?')];
    const told = contextOf('', messages, ROOMY);
    expect(told.map(({ content }) => content.includes('left out'))).toEqual([false, true, true, true, false]);
    expect(countUsage(told, '').promptTokens).toBeLessThanOrEqual(ROOMY);
  });

  it('A9: a question too long for the model is cut too, and is never dropped', () => {
    const question = `Why ${'x'.repeat(10_000)}?`;
    const told = contextOf('', [said('earlier'), said('yes', 'assistant'), said(question)], 1000);
    expectTurns(told);
    expect(told.map(({ content }) => content.slice(0, 4))).toEqual(['earl', 'yes', 'Why ']);
    expect(told[2]?.content.endsWith('x?')).toBe(true);
    // Also where the system prompt needs all the room.
    const squeezed = contextOf('p'.repeat(8000), [said(question)], 1000);
    expect(squeezed.at(-1)?.content).toMatch(/^Why x+\n\[….*…\]\nx+\?$/);
  });

  it('A9: leaves room for the answer, and keeps to what the preset says', () => {
    expect(mostTold(preset(), {}, 16_000)).toBe(14_976);
    expect(mostTold(preset(), { maxTokens: 4000 }, 16_000)).toBe(12_000);
    expect(mostTold(preset(), { maxTokens: 100_000 }, 2048)).toBe(1024);
    expect(mostTold(preset({ contextTokens: 500 }), {}, 16_000)).toBe(500);
  });

  it('A9: half of it is half of what was told, not of what the model was believed to read', () => {
    const messages = Array.from({ length: 21 }, (_, i) => said('x'.repeat(400), i % 2 === 0 ? 'user' : 'assistant'));
    const told = contextOf('', messages, 128_000);
    const again = contextOf('', messages, halfOf(told));
    expectTurns(again);
    expect(again.length).toBeGreaterThan(5);
    expect(again.length).toBeLessThan(12);
  });
});

describe('A9 a question with images', () => {
  const images = [{ mediaType: 'image/png', base64: 'x', tokens: 900 }] as const;

  it('A9: is told whole where its text fits; the images lessen what is told of the older ones', () => {
    const asked = { ...said('y'.repeat(3000)), images };
    const older = [said('z'.repeat(800)), said('yes', 'assistant')];
    expect(contextOf('', [...older, asked], 1000)).toEqual([{ role: 'user', content: asked.content, images }]);
    expect(contextOf('', [...older, said(asked.content)], 1000)).toHaveLength(3);
    expect(contextOf('', [...older, asked], 2000)).toHaveLength(3);
  });

  it('A9: is cut by its text alone', () => {
    const text = `Why ${'x'.repeat(8000)}?`;
    const [plain] = contextOf('', [said(text)], 1000);
    expect(plain?.content).toMatch(/left out here/);
    expect(contextOf('', [{ ...said(text), images }], 1000)).toEqual([{ ...plain, images }]);
  });
});

describe('an answer whose tokens the model did not count', () => {
  it('costs a quarter of its bytes, of both sides', () => {
    expect(countUsage([{ role: 'user', content: '12345' }], '😀')).toEqual({
      promptTokens: 2,
      completionTokens: 1,
      totalTokens: 3,
      estimated: true,
    });
  });
});
