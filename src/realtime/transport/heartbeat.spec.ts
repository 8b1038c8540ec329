import { ManualClock } from '../../common/time';
import { loadConfig } from '../../config';
import { MemoryPlaces } from '../../platform/cluster';
import { Connections } from './connections';
import { HeartbeatSweep } from './heartbeat';
import type { SocketConnection } from './socket-connection';

/** The sides of a connection that a sweep looks at. */
class Seen {
  isOpen = true;
  isHeld = false;
  isOverfull = false;
  bytesRead = 0;
  pings = 0;
  closed: number | undefined;
  caller: { endsAtMs?: number } = {};
  /** Answers pings, as a live client does. */
  isAlive = true;

  ping(): void {
    this.pings++;
    if (this.isAlive) this.bytesRead += 6;
  }
  close(code: number): void {
    this.closed = code;
    this.isOpen = false;
  }
  closeTooSlow(): void {
    this.close(4009);
  }
  dismiss(_: unknown, code: number): void {
    this.close(code);
  }
}

const TICK = 250;

function setUp(count = 1): { seen: Seen[]; pass: (ms: number) => void; clock: ManualClock; rounds: HeartbeatSweep } {
  const clock = new ManualClock();
  const seen = Array.from({ length: count }, () => new Seen());
  const connections = new Connections(new MemoryPlaces());
  connections.all = () => seen as unknown as SocketConnection[];
  const rounds = new HeartbeatSweep(connections, clock, loadConfig({}).socket);
  const pass = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += TICK) {
      clock.advance(TICK);
      rounds.tick();
    }
  };
  return { seen, pass, clock, rounds };
}

describe('rounds', () => {
  it('ping everybody every 30 s and close nobody who answers', () => {
    const { seen, pass } = setUp(10);
    pass(5 * 60_000);
    for (const { pings, closed } of seen) {
      expect(pings).toBeGreaterThanOrEqual(9);
      expect(pings).toBeLessThanOrEqual(10);
      expect(closed).toBeUndefined();
    }
  });

  it('close who was silent for 60 s, within 2 s of it', () => {
    const { seen, pass } = setUp(3);
    for (const each of seen) each.isAlive = false;
    pass(59_000);
    expect(seen.map(({ closed }) => closed)).toEqual([undefined, undefined, undefined]);
    pass(4000);
    expect(seen.map(({ closed }) => closed)).toEqual([4000, 4000, 4000]);
  });

  it('close nobody for a silence during which the server stood still', () => {
    const { seen, pass, clock, rounds } = setUp(3);
    pass(10_000);
    clock.advance(120_000);
    rounds.tick();
    pass(50_000);
    expect(seen.map(({ closed }) => closed)).toEqual([undefined, undefined, undefined]);
  });

  it('do not judge the silence of a socket that is not read', () => {
    const { seen, pass } = setUp();
    Object.assign(seen[0] ?? {}, { isAlive: false, isHeld: true });
    pass(300_000);
    expect(seen[0]?.closed).toBeUndefined();
    Object.assign(seen[0] ?? {}, { isHeld: false });
    pass(62_000);
    expect(seen[0]?.closed).toBe(4000);
  });

  it('close with the end of the credential, and not before', () => {
    const { seen, pass, clock } = setUp();
    Object.assign(seen[0]?.caller ?? {}, { endsAtMs: clock.wallMs() + 10_000 });
    pass(9500);
    expect(seen[0]?.closed).toBeUndefined();
    pass(2000);
    expect(seen[0]?.closed).toBe(4003);
  });

  it('close who has too much waiting for 5 s, not who has caught up before', () => {
    const { seen, pass } = setUp(2);
    pass(2000);
    for (const each of seen) each.isOverfull = true;
    pass(4000);
    Object.assign(seen[0] ?? {}, { isOverfull: false });
    pass(3000);
    Object.assign(seen[0] ?? {}, { isOverfull: true });
    pass(4000);
    expect(seen.map(({ closed }) => closed)).toEqual([undefined, 4009]);
  });
});
