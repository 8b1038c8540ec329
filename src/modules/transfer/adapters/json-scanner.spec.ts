import fc from 'fast-check';
import { BytesFile } from '../../../../test/support/transfer/foreign-files';
import { FileFault } from './adapter';
import { arrayItems, type Choice, type JsonEvent, jsonEvents, type Path } from './json-scanner';

const file = 'some.json';

async function eventsOf(text: string | Buffer, choose: (path: Path) => Choice, pieceBytes = 7): Promise<JsonEvent[]> {
  const events: JsonEvent[] = [];
  const bytes = new BytesFile(Buffer.from(text), pieceBytes).stream();
  for await (const event of jsonEvents(bytes, { file, choose, maxBytes: 1000 })) events.push(event);
  return events;
}

async function itemsOf(text: string | Buffer, pieceBytes = 7): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const { value } of arrayItems(new BytesFile(Buffer.from(text), pieceBytes).stream(), file, 1000))
    items.push(value);
  return items;
}

/** What the file is blamed for, and where. */
async function blame(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FileFault)) throw new Error('the file was not blamed', { cause: error });
  return `${error.place.file}:${error.place.line} ${error.message}`;
}

describe('the scanner of large JSON', () => {
  it('finds what JSON.parse finds, however the bytes are cut', async () => {
    const json = fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(json, fc.integer({ min: 1, max: 20 }), fc.nat(3), async (value, cut, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!/__proto__|constructor/.test(text) && Buffer.byteLength(text) < 1000);
        expect(await itemsOf(text, cut)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('looks into what it is told to, takes what it is told to, and tells where it stands', async () => {
    const text = '{"a": {"b": [1, {"c": "}]"}]},\n "x": [[[]], "\\"]"],\n "a\\u0062": null}';
    const choose = (path: Path): Choice => (path.includes('x') ? 'pass' : path.length < 4 ? 'enter' : 'take');
    const events = await eventsOf(text, choose);
    expect(events.map(({ kind, path, value, line }) => [kind, path.join('.'), value, line])).toEqual([
      ['value', '0.a.b.0', 1, 1],
      ['value', '0.a.b.1', { c: '}]' }, 1],
      ['end', '0.a.b', undefined, 1],
      ['end', '0.a', undefined, 1],
      ['value', '0.ab', null, 3],
      ['end', '0', undefined, 1],
    ]);
    for (const { start, end, kind, value } of events)
      if (kind === 'value') expect(JSON.parse(text.slice(start, end))).toEqual(value);
  });

  it('several values may follow each other', async () => {
    const found = await eventsOf('\ufeff{"a":1}\n{"a":2}\r\n\n3 "x",[4]', () => 'take');
    expect(found.map(({ path, value }) => [path[0], value])).toEqual([
      [0, { a: 1 }],
      [1, { a: 2 }],
      [2, 3],
      [3, 'x'],
      [4, [4]],
    ]);
  });

  it("a number that a double does not hold is nobody's fault", async () => {
    expect(await itemsOf('[{"id":12345678901234567890,"t":"x"}]')).toEqual([{ id: 12345678901234567000, t: 'x' }]);
  });

  it.each([
    ['', 'some.json:1 it is no JSON array'],
    ['{"a":1}', 'some.json:1 it is no JSON array'],
    ['"text"', 'some.json:1 it is no JSON array'],
    ['[1] [2]', 'some.json:1 something follows the array'],
    ['[1', 'some.json:1 the JSON ends in the middle'],
    ['[{"a":', 'some.json:1 the JSON ends in the middle'],
    ['["half', 'some.json:1 the JSON ends in the middle'],
    ['[1,]', 'some.json:1 it is no JSON'],
    ['[,1]', 'some.json:1 it is no JSON'],
    ['[1 2]', 'some.json:1 it is no JSON'],
    ['[1}', 'some.json:1 it is no JSON'],
    ['[\n{},\n{"a":tru}\n]', 'some.json:3 it is not valid JSON, or holds a forbidden key such as __proto__'],
    ['[\n{"__proto__":{}}]', 'some.json:2 it is not valid JSON, or holds a forbidden key such as __proto__'],
    [`[${'['.repeat(200)}${']'.repeat(200)}]`, 'some.json:1 it nests deeper than 64 levels'],
    [`[\n"${'x'.repeat(1000)}"]`, 'some.json:2 a value is larger than 1000 bytes'],
    ['PK\u0003\u0004', 'some.json:1 it is not valid JSON, or holds a forbidden key such as __proto__'],
  ])('%p is refused', async (text, fault) => {
    expect(await blame(itemsOf(text))).toBe(fault);
  });

  it('what is no UTF-8 is refused', async () => {
    const bytes = Buffer.concat([Buffer.from('[\n"'), Buffer.from([0xc3, 0x28]), Buffer.from('"]')]);
    expect(await blame(itemsOf(bytes))).toBe('some.json:2 it is no valid UTF-8');
  });

  it('a tower of what it looks into is no stack', async () => {
    expect(await blame(eventsOf('['.repeat(1000), () => 'enter'))).toBe('some.json:1 it nests deeper than 64 levels');
  });

  it('throws nothing but what the file is blamed for', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'{}[]":,\\ \n1tn-'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (json, cut) => {
        await eventsOf(json, (path) => (path.length < 3 ? 'enter' : 'take'), cut).catch((error: unknown) => {
          expect(error).toBeInstanceOf(FileFault);
        });
      }),
    );
  });

  it('holds one value, not the file', async () => {
    const piece = Buffer.from(`{"n":"${'x'.repeat(400)}"},\n`);
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('[');
      for (let i = 0; i < 20_000; i++) yield await Promise.resolve(piece);
      yield Buffer.from('0]');
    }
    let [count, most] = [0, 0];
    const before = process.memoryUsage().arrayBuffers;
    for await (const { value } of arrayItems(endless(), file, 1000)) {
      if (value !== 0 && ++count % 2000 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(count).toBe(20_000);
    expect(most).toBeLessThan(4 * 1024 * 1024);
  });
});
