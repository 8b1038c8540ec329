import { closed, referredTo, toJsonSchema } from './document';

describe('toJsonSchema', () => {
  it.each([
    ['a nullable type', { type: 'string', nullable: true }, { type: ['string', 'null'] }],
    [
      'a nullable enum',
      { type: 'string', enum: ['a'], nullable: true },
      { type: ['string', 'null'], enum: ['a', null] },
    ],
    [
      'a nullable reference',
      { nullable: true, description: 'd', allOf: [{ $ref: '#/x' }] },
      { description: 'd', oneOf: [{ allOf: [{ $ref: '#/x' }] }, { type: 'null' }] },
    ],
    ['what is not nullable', { type: 'string', nullable: false }, { type: 'string' }],
    ['an example', { type: 'object', example: { nullable: true } }, { type: 'object', examples: [{ nullable: true }] }],
    ['what lies deeper', { items: [{ nullable: true, type: 'integer' }] }, { items: [{ type: ['integer', 'null'] }] }],
  ])('%s', (_, openApi, expected) => {
    expect(toJsonSchema(openApi)).toEqual(expected);
  });
});

it('closed leaves free objects open', () => {
  expect(closed({ properties: {} })).toEqual({ properties: {}, additionalProperties: false });
  expect(closed({ type: 'object', additionalProperties: true })).toEqual({
    type: 'object',
    additionalProperties: true,
  });
  expect(closed({ properties: {}, additionalProperties: true })).toEqual({
    properties: {},
    additionalProperties: true,
  });
});

it('referredTo finds references at any depth', () => {
  expect(referredTo({ a: [{ $ref: '#/components/schemas/A' }], b: { c: { $ref: '#/components/schemas/B' } } })).toEqual(
    ['A', 'B'],
  );
});
