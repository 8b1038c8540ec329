import type { Frame, WireFrame } from './contract';

/** Serialises a frame and frames it as one unmasked text message (RFC 6455 §5.2). */
export function wireFrame(frame: Frame): WireFrame {
  const text = Buffer.from(JSON.stringify(frame));
  return Buffer.concat([header(text.length), text]);
}

function header(length: number): Buffer {
  if (length < 126) return Buffer.from([0x81, length]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}
