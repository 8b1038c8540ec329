import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import fc from 'fast-check';
import { AppError, type FieldError } from '../../common/errors';
import { compileSchema, isDto, UnknownDecorator } from './compile-schema';
import { IsJsonObject, IsLimit, IsNested, IsNullable, IsUserId } from './decorators';
import { asJsonObject, CompiledValidationPipe, Validator } from './validator';

class Inner {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(10)
  level?: number;

  @IsOptional()
  @IsNullable()
  @IsIn(['x', 'y'])
  mode?: 'x' | 'y' | null;

  @IsOptional()
  @IsLimit({ max: 100 })
  limit?: number | null | 'default';
}

class Sample {
  @IsString()
  @MinLength(1)
  @MaxLength(3)
  text!: string;

  @IsOptional()
  @IsInt()
  count?: number;

  @IsOptional()
  @IsBoolean()
  flag?: boolean;

  @IsOptional()
  @IsIn(['a', 'b'])
  choice?: string;

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(3)
  @IsUserId({ each: true })
  user_ids?: string[];

  @IsOptional()
  @IsArray()
  @ArrayUnique()
  @IsString({ each: true })
  tags?: string[];

  @IsOptional()
  @IsJsonObject({ maxBytes: 1024, orText: true })
  meta?: Record<string, unknown> | string;

  @IsOptional()
  @IsJsonObject({ maxBytes: 1024 })
  object?: Record<string, unknown>;

  @IsOptional()
  @IsISO8601()
  at?: string;

  @IsOptional()
  @Matches(/^[a-z]+$/, { message: 'slug must be lower-case letters' })
  slug?: string;

  @IsOptional()
  @IsNested(() => Inner)
  inner?: Inner;
}

class Query {
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  after?: number;

  @IsOptional()
  @IsBoolean()
  flag?: boolean;

  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: string;
}

const validator = new Validator();

function faultsOf(run: () => unknown): FieldError[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'VALIDATION_ERROR') throw error;
    const all = error.details?.['errors'] as FieldError[] | undefined;
    return all ?? [{ field: error.field ?? '', message: error.message }];
  }
  return [];
}

const body = (value: unknown): FieldError[] => faultsOf(() => validator.body(Sample, value));
const withText = (more: object): FieldError[] => body({ text: 'ok', ...more });
const query = (value: unknown): Query => validator.query(Query, value);

describe('bodies', () => {
  it.each<[string, object, string, string]>([
    ['missing', { text: undefined }, 'text', 'text is required'],
    ['null where required', { text: null }, 'text', 'text must be a string'],
    ['a number for a string', { text: 5 }, 'text', 'text must be a string'],
    ['empty', { text: '' }, 'text', 'text must not be empty'],
    ['too long', { text: 'abcd' }, 'text', 'text must have at most 3 characters'],
    ['NUL', { text: '\u0000' }, 'text', 'text must not hold NUL characters or unpaired surrogates'],
    ['a lone surrogate', { text: '\ud800' }, 'text', 'text must not hold NUL characters or unpaired surrogates'],
    ['a fraction', { count: 1.5 }, 'count', 'count must be a whole number'],
    ['a number as text', { count: '5' }, 'count', 'count must be a whole number'],
    ['Infinity', { count: Infinity }, 'count', `count must be at most ${Number.MAX_SAFE_INTEGER}`],
    ['beyond 2^53', { count: 2 ** 53 }, 'count', `count must be at most ${Number.MAX_SAFE_INTEGER}`],
    ['below -2^53', { count: -1e308 }, 'count', `count must be at least ${Number.MIN_SAFE_INTEGER}`],
    ['a word for a flag', { flag: 'true' }, 'flag', 'flag must be true or false'],
    ['none of the choices', { choice: 'c' }, 'choice', 'Invalid choice. Must be one of: a, b'],
    ['an object for an array', { user_ids: {} }, 'user_ids', 'user_ids must be an array'],
    ['too few items', { user_ids: [] }, 'user_ids', 'user_ids must have at least 1 items'],
    ['too many items', { user_ids: ['a', 'b', 'c', 'd'] }, 'user_ids', 'user_ids must have at most 3 items'],
    ['an agent', { user_ids: ['a', 'agent_x'] }, 'user_ids[1]', 'user_ids[1] must not begin with agent_'],
    ['an item twice', { tags: ['a', 'a'] }, 'tags', 'tags must not hold the same item twice'],
    ['no time zone', { at: '2026-01-31T12:00:00' }, 'at', expect.stringContaining('ISO 8601 time with a zone')],
    ['no such day', { at: '2026-13-31T12:00:00Z' }, 'at', expect.stringContaining('ISO 8601 time with a zone')],
    ['a message of its own', { slug: 'A' }, 'slug', 'slug must be lower-case letters'],
    ['nested', { inner: { level: 11 } }, 'inner.level', 'inner.level must be at most 10'],
    ['unknown', { typo: 1 }, 'typo', 'Unknown field: typo'],
    ['unknown in a nested one', { inner: { typo: 1 } }, 'inner.typo', 'Unknown field: inner.typo'],
    ['the name of a prototype', { constructor: 1 }, 'constructor', 'Unknown field: constructor'],
    ['toString', { toString: 1 }, 'toString', 'Unknown field: toString'],
    ['limit', { inner: { limit: -1 } }, 'inner.limit', expect.stringContaining('from 0 to 100, null')],
  ])('refuse %s', (_name, more, field, message) => {
    expect(withText(more)).toEqual([{ field, message }]);
  });

  it('must be objects', () => {
    for (const value of [null, undefined, [], 'text', 5, true])
      expect(body(value)).toEqual([{ field: '', message: 'Body must be a JSON object' }]);
  });

  it('may be missing where nothing is required', () => {
    expect(validator.body(Inner, undefined)).toEqual({});
    expect(faultsOf(() => validator.body(Inner, null))).toHaveLength(1);
  });

  it('count code points, not UTF-16 units', () => {
    expect(body({ text: '😀😀😀' })).toEqual([]);
    expect(body({ text: '😀😀😀😀' })).toHaveLength(1);
  });

  it('list the faults in the order of the fields, one each, unknown fields last, 20 at most', () => {
    const fields = withText({ zzz: 1, slug: 'A', count: 'x', text: '' }).map(({ field }) => field);
    expect(fields).toEqual(['text', 'count', 'slug', 'zzz']);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`k${i}`, 1]));
    expect(withText(many)).toHaveLength(20);
  });

  it('shorten unknown names and make them storable', () => {
    const [fault] = withText({ [`${'x'.repeat(99)}😀${'y'.repeat(1000)}`]: 1 });
    expect(fault?.field).toBe(`${'x'.repeat(99)}\ufffd`);
  });

  it('with tens of thousands of faults cost little, and still name the field', () => {
    const big = (item: unknown): unknown[] => Array.from({ length: 80_000 }, () => item);
    expect(withText({ user_ids: big('') })).toEqual([
      { field: 'user_ids', message: 'user_ids must have at most 3 items' },
    ]);
    expect(withText({ tags: big(1) })[0]).toMatchObject({ field: 'tags[0]' });
    expect(withText({ tags: Array.from({ length: 30_000 }, (_, i) => `t${i}`) })).toEqual([]);
  });
});

describe('null', () => {
  it('for an optional field counts as absent and is taken out', () => {
    const value = validator.body(Sample, { text: 'ok', count: null, inner: { level: null } });
    expect(value).toEqual({ text: 'ok', inner: {} });
  });

  it('is kept where it means something', () => {
    const value = { text: 'ok', inner: { mode: null, limit: null } };
    expect(validator.body(Sample, structuredClone(value))).toEqual(value);
  });

  it('is still refused inside arrays', () => {
    expect(withText({ tags: [null] })).toEqual([{ field: 'tags[0]', message: 'tags[0] must be a string' }]);
  });
});

describe('JSON objects', () => {
  const deep = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  const bytes = (n: number): Record<string, string> => ({ a: 'x'.repeat(n - 8) });

  it('may come as text where that is allowed, with the same rules', () => {
    expect(withText({ meta: '{"a":1}' })).toEqual([]);
    expect(withText({ object: '{"a":1}' })).toHaveLength(1);
    expect(asJsonObject('{"b":1,"a":2}')).toEqual({ b: 1, a: 2 });
    expect(asJsonObject({ a: 1 })).toEqual({ a: 1 });
  });

  it('are measured in bytes of compact JSON', () => {
    for (const make of [(n: number) => bytes(n), (n: number) => JSON.stringify(bytes(n), null, 4)]) {
      expect(withText({ meta: make(1024) })).toEqual([]);
      expect(withText({ meta: make(1025) })).toMatchObject([{ field: 'meta' }]);
    }
    expect(withText({ meta: { a: 'é'.repeat(509) } })).toMatchObject([{ field: 'meta' }]);
  });

  it.each([
    ['an array', []],
    ['a number', 5],
    ['text that is no JSON', '{a:1}'],
    ['text that holds an array', '[1]'],
    ['text that holds null', 'null'],
    ['NUL in a value', { a: ['\u0000'] }],
    ['a lone surrogate in a key', { a: { '\ud800': 1 } }],
    ['an escaped NUL in text', String.raw`{"a":"\u0000"}`],
    ['a number out of range', { a: Infinity }],
    ['a number out of range in text', '{"a":1e400}'],
    ['__proto__ in text', '{"a":{"__proto__":1}}'],
    ['constructor.prototype in text', '{"constructor":{"prototype":1}}'],
    ['text that nests 32 levels', deep(32)],
    ['text that nests 100,000 levels', deep(100_000)],
  ])('are not %s', (_name, meta) => {
    expect(withText({ meta })).toMatchObject([{ field: 'meta' }]);
  });

  it('as text nest 31 levels, which is what fits in a body', () => {
    expect(withText({ meta: deep(31) })).toEqual([]);
  });
});

describe('queries', () => {
  it('read whole numbers and flags from text', () => {
    expect(query({ limit: '7', after: '0', flag: 'true', order: 'asc' })).toEqual({
      limit: 7,
      after: 0,
      flag: true,
      order: 'asc',
    });
    expect(query({ after: '9007199254740991', flag: 'false' })).toEqual({
      after: Number.MAX_SAFE_INTEGER,
      flag: false,
    });
  });

  it('ignore parameters that they do not know, and may be missing', () => {
    expect(query({ other: '1', __proto__: '2' })).toEqual({});
    expect(query(undefined)).toEqual({});
  });

  it.each([
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '-1'],
    ['limit', '1.5'],
    ['limit', '1e1'],
    ['limit', '0x10'],
    ['limit', ' 5'],
    ['limit', ''],
    ['limit', 'ten'],
    ['limit', '٣'],
    ['limit', ['1', '2']],
    ['after', '9007199254740992'],
    ['after', '9'.repeat(400)],
    ['after', '-9223372036854775808'],
    ['flag', '1'],
    ['flag', ''],
    ['order', ''],
    ['order', ['asc', 'desc']],
  ])('refuse %s=%j', (name, value) => {
    expect(faultsOf(() => query({ [name]: value }))).toMatchObject([{ field: name }]);
  });

  it('take any whole number within the bounds and no other', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: -5, max: 120 }), fc.maxSafeInteger()), (limit) => {
        const isFine = limit >= 1 && limit <= 100;
        expect(faultsOf(() => query({ limit: String(limit) })).length).toBe(isFine ? 0 : 1);
      }),
    );
  });
});

describe('the compiler', () => {
  it('fails on a decorator that it does not know', () => {
    class Unknown {
      @IsEmail()
      mail!: string;
    }
    expect(() => new Validator().prepare(Unknown)).toThrow(UnknownDecorator);
    expect(() => compileSchema(Unknown)).toThrow('Unknown.mail has the validation decorator "isEmail"');
  });

  it('fails on a nested class that it cannot see', () => {
    class Blind {
      @ValidateNested()
      inner!: Inner;
    }
    expect(() => compileSchema(Blind)).toThrow('ValidateNested without IsNested');
  });

  it('fails inside nested and inherited classes too', () => {
    class Bad {
      @IsEmail()
      mail!: string;
    }
    class Outer {
      @IsNested(() => Bad)
      bad!: Bad;
    }
    class Heir extends Bad {
      @IsString()
      name!: string;
    }
    expect(() => compileSchema(Outer)).toThrow(UnknownDecorator);
    expect(() => compileSchema(Heir)).toThrow(UnknownDecorator);
  });

  it('takes the fields of a parent class, and makes required what is not optional', () => {
    class Child extends Query {
      @IsString()
      name!: string;
    }
    const schema = compileSchema(Child);
    expect(Object.keys(schema.properties).sort()).toEqual(['after', 'flag', 'limit', 'name', 'order']);
    expect(schema).toMatchObject({ type: 'object', required: ['name'], additionalProperties: false });
    expect(schema.properties['limit']).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 });
  });

  it('knows a DTO by its decorators', () => {
    expect([Sample, Object, class {}, 'Sample', undefined].map(isDto)).toEqual([true, false, false, false, false]);
  });
});

describe('the pipe', () => {
  const pipe = new CompiledValidationPipe(validator);

  it('checks bodies and queries of DTO classes', () => {
    expect(pipe.transform({ limit: '5' }, { type: 'query', metatype: Query })).toEqual({ limit: 5 });
    expect(() => pipe.transform({ limit: '5' }, { type: 'body', metatype: Query })).toThrow(AppError);
  });

  it('lets everything else pass untouched', () => {
    const value = { limit: '5' };
    expect(pipe.transform(value, { type: 'param', metatype: Query })).toBe(value);
    expect(pipe.transform(value, { type: 'custom', metatype: Query })).toBe(value);
    expect(pipe.transform(value, { type: 'body' })).toBe(value);
    expect(pipe.transform(value, { type: 'body', metatype: Object })).toBe(value);
  });
});
