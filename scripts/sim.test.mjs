/** bench/sim.mjs: its sums are the design's, and a point that lies beside them is found out. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { demand, deviations, PAPER, PAPER_INPUTS, pointTable, TOLERANCE, uneven, withTable } from '../bench/sim.mjs';

describe('bench/sim.mjs', () => {
  it('has for the design’s load what the design has, within 30 %', () => {
    const off = deviations(demand(PAPER_INPUTS), PAPER).filter(({ isOff }) => isOff);
    assert.deepEqual(off, []);
  });

  it('counts the nodes that a message reaches as they come out when its readers are drawn', () => {
    for (const inputs of [PAPER_INPUTS, { ...PAPER_INPUTS, audience: 2, sockets: 60_000 }]) {
      const { reached } = demand(inputs);
      assert.ok(Math.abs(uneven(inputs).reached / reached - 1) < 0.03);
    }
  });

  it('costs nothing for Redis where there is one node, and grows with nodes where all hear all', () => {
    const one = demand({ ...PAPER_INPUTS, nodes: 1 });
    assert.deepEqual([one.hintsOut, one.hintsIn, one.redisCores, one.comebackSeconds], [0, 0, 0, 0]);
    const taken = (routing, nodes) => demand({ ...PAPER_INPUTS, routing, nodes }).busReceptions;
    assert.equal(taken('A', 11) / taken('A', 6), 2);
    assert.ok(taken('B', 50) < taken('A', 50) / 5);
  });

  it('refuses a point that is 31 % off, and one that it has no sum for', () => {
    const inputs = { nodes: 3, messages: 1000, acks: 0, routing: 'A' };
    const { nodeCores } = demand({ ...PAPER_INPUTS, ...inputs });
    assert.equal(TOLERANCE, 0.3);
    for (const [factor, isNear] of [
      [1.29, true],
      [1.31, false],
      [0.71, true],
      [0.69, false],
    ])
      assert.equal(pointTable({ inputs, measured: { nodeCores: nodeCores / factor } }).isNear, isNear);
    assert.equal(pointTable({ inputs, measured: { nothing: 1 } }).isNear, false);
  });

  it('docs/scale.md has its table', async () => {
    const page = readFileSync(new URL('../docs/scale.md', import.meta.url), 'utf8');
    assert.equal(await withTable(page), page);
  });
});
