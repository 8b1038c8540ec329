/**
 * The network of one person: it can be cut and slowed. What is on its way when it is cut is lost, both ways, and the
 * server hears nothing more: as if the plug were pulled.
 */
import { Changes } from './changes';
import type { Data } from './frames';

/** What of the browser's WebSocket is used. */
export interface SocketLike {
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { readonly data: unknown }) => unknown) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => unknown) | null;
  send(data: Data): void;
  close(code?: number): void;
}

export interface WireListener {
  readonly onOpen: () => void;
  readonly onData: (data: string) => void;
  /** Once, and nothing after it. */
  readonly onClose: (code: number, reason: string) => void;
}

export interface Wire {
  send(data: Data): void;
  close(): void;
}

const LOST = 1006;

export class Network {
  private readonly changes = new Changes();
  private readonly wires = new Set<DelayedWire>();
  private readonly calls = new Set<AbortController>();
  private cutNow = false;
  private delay = 0;

  constructor(
    private readonly openSocket: (url: string) => SocketLike,
    private readonly call: typeof fetch,
  ) {}

  readonly subscribe = this.changes.subscribe;

  get isCut(): boolean {
    return this.cutNow;
  }

  /** Milliseconds that each frame and call takes longer, each way. */
  get delayMs(): number {
    return this.delay;
  }

  setDelay(ms: number): void {
    this.delay = ms;
    this.changes.tell();
  }

  cut(): void {
    this.cutNow = true;
    for (const wire of [...this.wires]) wire.lose('the network was cut');
    for (const call of this.calls) call.abort();
    this.changes.tell();
  }

  restore(): void {
    this.cutNow = false;
    this.changes.tell();
  }

  open(url: string, listener: WireListener): Wire {
    const wire = new DelayedWire(() => this.openSocket(url), listener, {
      delayMs: () => this.delay,
      isCut: () => this.cutNow,
      onGone: () => this.wires.delete(wire),
    });
    this.wires.add(wire);
    wire.open();
    return wire;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const call = new AbortController();
    this.calls.add(call);
    try {
      await rest(this.delay);
      if (this.cutNow) throw new TypeError('the network is cut');
      const answer = await this.call(input, { ...init, signal: call.signal });
      await rest(this.delay);
      if (this.cutNow) throw new TypeError('the network is cut');
      return answer;
    } finally {
      this.calls.delete(call);
    }
  };
}

interface Conditions {
  readonly delayMs: () => number;
  readonly isCut: () => boolean;
  readonly onGone: () => void;
}

class DelayedWire implements Wire {
  private socket: SocketLike | undefined;
  private isGone = false;
  private readonly out = new DelayLine();
  private readonly in = new DelayLine();

  constructor(
    private readonly openSocket: () => SocketLike,
    private readonly listener: WireListener,
    private readonly conditions: Conditions,
  ) {}

  open(): void {
    this.out.put(this.conditions.delayMs(), () => {
      if (this.conditions.isCut()) return this.lose('the network is cut');
      const socket = this.openSocket();
      this.socket = socket;
      const later = (run: () => void): void => this.in.put(this.conditions.delayMs(), run);
      socket.onopen = () => later(() => this.listener.onOpen());
      socket.onmessage = ({ data }) => later(() => this.listener.onData(String(data)));
      socket.onclose = ({ code, reason }) => later(() => this.lose(reason, code));
    });
  }

  send(data: Data): void {
    this.out.put(this.conditions.delayMs(), () => this.socket?.send(data));
  }

  close(): void {
    this.lose('', 1000);
  }

  lose(reason: string, code = LOST): void {
    if (this.isGone) return;
    this.isGone = true;
    this.in.clear();
    this.out.clear();
    this.conditions.onGone();
    const { socket } = this;
    if (socket !== undefined) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    }
    this.listener.onClose(code, reason);
  }
}

/** Does things in order, each not before its time; without a delay at once. */
class DelayLine {
  private waiting: (() => void)[] = [];
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private lastAt = 0;

  put(delayMs: number, run: () => void): void {
    const now = Date.now();
    if (delayMs === 0 && this.waiting.length === 0) return run();
    // What comes after a slow one waits for it, also where the delay was taken away meanwhile.
    this.lastAt = Math.max(now + delayMs, this.lastAt);
    this.waiting.push(run);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      // The first one, whichever timer this is: two that end in the same moment may do so in any order.
      this.waiting.shift()?.();
    }, this.lastAt - now);
    this.timers.add(timer);
  }

  clear(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.waiting = [];
  }
}

function rest(ms: number): Promise<void> {
  return ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
