/** One socket that is kept open: it comes back by itself, with pauses, and says where it stands. */
import { backoff } from './backoff';
import { Changes } from './changes';
import { closeCode } from './close-codes';
import type { Data } from './frames';
import type { Network, Wire } from './network';

/**
 * `syncing`: open, and being brought what was missed. `recovering`: the log was another one, what was kept of it is
 * dropped and fetched anew. `lost`, then `waiting`: it will come back. `closed`: it was asked to.
 * `unrecoverable`: coming back would change nothing; `fault` says why.
 */
export type ConnectionState =
  'idle' | 'connecting' | 'syncing' | 'recovering' | 'live' | 'lost' | 'waiting' | 'closed' | 'unrecoverable';

/** What passes on the socket, for whoever writes it down. */
export type Recorder = (event: {
  readonly direction: 'in' | 'out' | 'state';
  /** The frame as it is on the wire; of a state, words. */
  readonly data: Data;
  readonly type: string;
}) => void;

export interface ConnectionOptions {
  /** The address with everything but the credential. */
  readonly url: () => URL;
  /** A ticket or token for one connection. Rejects with an error whose `isPassing` says whether asking again may do. */
  readonly getToken: (isRenewal: boolean) => Promise<string>;
  readonly network: Network;
  readonly record: Recorder;
  readonly onFrame: (frame: Record<string, unknown>) => void;
  /** The connection broke or ended. */
  readonly onLost: () => void;
}

const HEARTBEAT_MS = 25_000;
const SILENCE_MS = 60_000;
/** A credential that is refused so often in a row is not renewed again. */
const MOST_REFUSALS = 2;

export class Connection {
  readonly changes = new Changes();
  /** When it will try again, in ms since 1970. */
  nextAttemptAt: number | undefined;
  /** Why it is lost, or given up. */
  fault: unknown;
  private now: ConnectionState = 'idle';
  private wire: Wire | undefined;
  private attempt = 0;
  private refusals = 0;
  private askedMs = 0;
  private told: unknown;
  private heardAt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setInterval> | undefined;
  /** Counts attempts: what an earlier one brings is late. */
  private turn = 0;

  constructor(private readonly options: ConnectionOptions) {
    options.network.subscribe(() => {
      if (!options.network.isCut && (this.now === 'waiting' || this.now === 'lost')) this.connect();
    });
  }

  get state(): ConnectionState {
    return this.now;
  }

  get isOpen(): boolean {
    return this.now === 'syncing' || this.now === 'recovering' || this.now === 'live';
  }

  enter(state: ConnectionState): void {
    if (this.now === state) return;
    this.now = state;
    this.changes.tell();
  }

  connect(): void {
    clearTimeout(this.timer);
    this.nextAttemptAt = undefined;
    const turn = ++this.turn;
    this.enter('connecting');
    this.options.getToken(this.refusals > 0).then(
      (token) => {
        if (turn === this.turn) this.open(token);
      },
      (fault: unknown) => {
        if (turn === this.turn) this.refused(fault);
      },
    );
  }

  /** It stays closed until it is connected again. */
  close(): void {
    this.turn++;
    clearTimeout(this.timer);
    this.drop();
    this.enter('closed');
  }

  /** @returns false where there is no connection: nothing was sent */
  send(frame: { readonly type?: string }): boolean {
    return this.isOpen && this.sendData(JSON.stringify(frame), frame.type ?? 'message');
  }

  /** Whatever it is, as it is. */
  sendData(data: Data, type: string): boolean {
    if (this.wire === undefined) return false;
    this.options.record({ direction: 'out', data, type });
    this.wire.send(data);
    return true;
  }

  /** The server took this connection for good: `hello` came. */
  accepted(state: ConnectionState): void {
    this.attempt = 0;
    this.refusals = 0;
    this.fault = undefined;
    this.enter(state);
  }

  /** Told by the server: how long to wait before the next connection. */
  waitFor(ms: number): void {
    this.askedMs = ms;
  }

  /** An `error` came that may be why the connection is about to be closed. */
  explain(fault: unknown): void {
    this.told = fault;
  }

  private open(token: string): void {
    const url = this.options.url();
    url.searchParams.set('token', token);
    url.searchParams.set('close_codes', '1');
    this.record('with a new ticket', 'connecting');
    const turn = this.turn;
    this.wire = this.options.network.open(url.href, {
      onOpen: () => this.record(`GET ${url.pathname} is a socket now`, 'open'),
      onData: (data) => this.receive(data),
      onClose: (code, reason) => this.lost(code, reason, turn),
    });
    this.heardAt = Date.now();
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
  }

  private receive(data: string): void {
    this.heardAt = Date.now();
    const frame = JSON.parse(data) as Record<string, unknown>;
    const type = String(frame['type'] ?? frame['event_type']);
    this.options.record({ direction: 'in', data, type });
    this.options.onFrame(frame);
  }

  private beat(): void {
    // A browser shows no pings: an answer to one of ours shows that the server is there.
    if (Date.now() - this.heardAt > SILENCE_MS) this.wire?.close();
    else this.send({ type: 'ping' });
  }

  private lost(code: number, reason: string, turn: number): void {
    const { why, then } = closeCode(code);
    this.record(`${code} ${reason === '' ? why : reason}`, 'closed');
    if (turn !== this.turn) return;
    this.drop();
    this.fault = this.told ?? `${code}: ${reason === '' ? why : reason}`;
    this.told = undefined;
    if (then === 'renew') this.refusals++;
    if (then === 'end' || this.refusals > MOST_REFUSALS) return this.enter('unrecoverable');
    this.enter('lost');
    this.wait();
  }

  private refused(fault: unknown): void {
    this.fault = fault;
    const isPassing = typeof fault === 'object' && fault !== null && 'isPassing' in fault && fault.isPassing === true;
    if (!isPassing) return this.enter('unrecoverable');
    this.wait();
  }

  private wait(): void {
    // As with a browser that is offline: it begins again when the network is back.
    if (this.options.network.isCut) return this.enter('waiting');
    const ms = backoff(this.attempt++, this.askedMs);
    this.askedMs = 0;
    this.nextAttemptAt = Date.now() + ms;
    this.enter('waiting');
    this.timer = setTimeout(() => this.connect(), ms);
  }

  private drop(): void {
    clearInterval(this.heartbeat);
    const { wire } = this;
    if (wire === undefined) return;
    this.wire = undefined;
    wire.close();
    this.options.onLost();
  }

  private record(words: string, type: string): void {
    this.options.record({ direction: 'state', data: words, type });
  }
}
