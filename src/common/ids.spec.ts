import fc from 'fast-check';
import { decodeId, encodeId, ID_PREFIXES, type IdKind, isUuid, newUuid, timeOf } from './ids';

const KINDS = Object.keys(ID_PREFIXES) as IdKind[];
const kind = fc.constantFrom(...KINDS);

describe('ids', () => {
  it('come back from their outer form, and only as their own kind', () => {
    fc.assert(
      fc.property(kind, kind, fc.uuid(), (mine, other, uuid) => {
        const id = encodeId(mine, uuid);
        expect(id).toMatch(/^[a-z]+_[0-9a-f]{32}$/);
        expect(decodeId(mine, id)).toBe(uuid);
        if (other !== mine) expect(decodeId(other, id)).toBeUndefined();
      }),
    );
  });

  it('have prefixes of which none begins another', () => {
    const prefixes = Object.values(ID_PREFIXES);
    for (const prefix of prefixes) expect(prefixes.filter((other) => other.startsWith(prefix))).toEqual([prefix]);
  });

  it('decode to nothing when malformed, and never throw', () => {
    const good = encodeId('room', newUuid());
    const bad = [good.toUpperCase(), `${good}0`, good.slice(0, -1), ` ${good}`, `${good}\n`, good.replace('_', ''), ''];
    for (const id of [...bad, undefined, null, 5, {}, [good], '\u0000']) expect(decodeId('room', id)).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (id) => {
        expect(decodeId('room', `room_${id}`)).toBeUndefined();
      }),
    );
  });

  it('are made in order of time', () => {
    const made = Array.from({ length: 1000 }, newUuid);
    expect(made.every(isUuid)).toBe(true);
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(1000);
  });

  it('tell when they were made', () => {
    const before = Date.now();
    const made = timeOf(newUuid()).getTime();
    // The generator keeps to the order where the clock goes back, and may run ahead of it for that.
    expect(made).toBeGreaterThanOrEqual(before);
    expect(timeOf('019aa1c2-d3e4-7506-8728-394a5b6c7d8e').toISOString()).toBe(new Date(0x019aa1c2d3e4).toISOString());
  });

  it('isUuid takes the dashed lower-case form only', () => {
    const uuid = newUuid();
    expect([uuid, uuid.toUpperCase(), uuid.replaceAll('-', ''), `${uuid} `].map(isUuid)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
