import { type ReadFrame, readFrame } from './read-frame';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('readFrame', () => {
  it.each<[string, unknown, ReadFrame]>([
    [
      'flat',
      { type: 'ack', room_id: 'r', seq: 1 },
      { type: 'ack', requestId: undefined, fields: { room_id: 'r', seq: 1 } },
    ],
    [
      'nested',
      { type: 'ack', data: { room_id: 'r' } },
      { type: 'ack', requestId: undefined, fields: { room_id: 'r' } },
    ],
    ['with a request id', { type: 'ping', request_id: 'a' }, { type: 'ping', requestId: 'a', fields: {} }],
    ['with one inside', { type: 'ping', data: { request_id: 'a' } }, { type: 'ping', requestId: 'a', fields: {} }],
    [
      'the outer first',
      { type: 'x', request_id: 'o', data: { request_id: 'i' } },
      { type: 'x', requestId: 'o', fields: {} },
    ],
    [
      '64 code points',
      { type: 'x', request_id: '🙂'.repeat(64) },
      { type: 'x', requestId: '🙂'.repeat(64), fields: {} },
    ],
    ['null is absent', { type: 'x', request_id: null, data: null }, { type: 'x', requestId: undefined, fields: {} }],
    [
      'data that is no object is a field',
      { type: 'x', data: 'd' },
      { type: 'x', requestId: undefined, fields: { data: 'd' } },
    ],
    ['and so is an array', { type: 'x', data: [1] }, { type: 'x', requestId: undefined, fields: { data: [1] } }],
  ])('%s', (_, sent, expected) => {
    expect(readFrame(JSON.stringify(sent))).toEqual(expected);
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ['nothing', '', undefined, /not valid JSON/],
    ['no JSON', '{"type":', undefined, /not valid JSON/],
    ['a byte order mark', '\ufeff{"type":"ping"}', undefined, /byte order mark/],
    ['5,000 levels', deep(5000), undefined, /deeper than 32/],
    ['33 levels', `{"type":"x","a":${deep(32)}}`, undefined, /deeper than 32/],
    ['__proto__', '{"type":"ping","__proto__":{"a":1}}', undefined, /forbidden key/],
    ['constructor.prototype', '{"type":"x","constructor":{"prototype":{}}}', undefined, /forbidden key/],
    ['an array', '[{"type":"ping"}]', undefined, /must be a JSON object/],
    ['a number', '42', undefined, /must be a JSON object/],
    ['null', 'null', undefined, /must be a JSON object/],
    ['a string', '"ping"', undefined, /must be a JSON object/],
    ['no type', '{}', 'type', /type is required/],
    ['null as type', '{"type":null}', 'type', /type is required/],
    ['a number as type', '{"type":1}', 'type', /must be a string/],
    ['an object as type', '{"type":{"toString":1}}', 'type', /must be a string/],
    ['a number as request id', '{"type":"ping","request_id":1}', 'request_id', /at most 64/],
    ['65 characters', JSON.stringify({ type: 'ping', request_id: 'x'.repeat(65) }), 'request_id', /at most 64/],
    ['NUL in it', '{"type":"ping","request_id":"\\u0000"}', 'request_id', /at most 64/],
    ['a lone surrogate in it', '{"type":"ping","request_id":"\\ud800"}', 'request_id', /at most 64/],
    ['fields beside data', '{"type":"ack","room_id":"r","data":{"seq":1}}', 'room_id', /Unknown field: room_id/],
  ])('refuses %s', (_, text, field, message) => {
    const frame = readFrame(text);
    if (!('refused' in frame)) throw new Error('the frame was taken');
    expect(frame.refused).toMatchObject({ code: 'VALIDATION_ERROR', field });
    expect(frame.refused.message).toMatch(message);
    expect(frame.requestId).toBeUndefined();
  });

  it('keeps the request id of a frame that is refused for something else', () => {
    expect(readFrame('{"request_id":"a"}')).toMatchObject({ requestId: 'a', refused: { field: 'type' } });
    expect(readFrame('{"data":{"request_id":"a"}}')).toMatchObject({ requestId: 'a', refused: { field: 'type' } });
  });

  it('takes 32 levels', () => {
    expect(readFrame(`{"type":"x","a":${deep(31)}}`)).toMatchObject({ type: 'x' });
  });
});
