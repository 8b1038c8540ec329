/** One raw keep-alive connection that has one request at a time under way. */
import net from 'node:net';

export class HttpConnection {
  /** @param onAnswer is called with this connection, the status, and the body of an error */
  constructor(onAnswer) {
    this.buffer = '';
    this.onAnswer = onAnswer;
  }

  open(target) {
    return new Promise((resolve, reject) => {
      this.socket = net.connect({ host: target.hostname, port: Number(target.port), noDelay: true }, () =>
        resolve(this),
      );
      this.socket.setEncoding('latin1');
      this.socket.on('data', (chunk) => this.read(chunk));
      this.socket.on('error', reject);
    });
  }

  write(request) {
    this.socket.write(request);
  }

  read(chunk) {
    this.buffer += chunk;
    const end = this.buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: *(\d+)/i.exec(this.buffer.slice(0, end))?.[1] ?? 0);
    if (this.buffer.length < end + 4 + length) return;
    const status = Number(this.buffer.slice(9, 12));
    const body = status >= 400 ? this.buffer.slice(end + 4, end + 4 + length) : '';
    this.buffer = this.buffer.slice(end + 4 + length);
    this.onAnswer(this, status, body);
  }
}

/** Header lines of a request. */
export function headerLines(headers = {}) {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
