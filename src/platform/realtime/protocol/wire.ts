import type { Frame, WireFrame } from '../contract';

const FINAL_TEXT = 0x81;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Serialises a frame and puts the WebSocket header of an unmasked, unfragmented text message before it (RFC 6455 §5.2). */
export function toWire(frame: Frame): WireFrame {
  const text = JSON.stringify(frame);
  const length = Buffer.byteLength(text);
  const header = length < LENGTH_16 ? 2 : length < 0x10000 ? 4 : 10;
  const wire = Buffer.allocUnsafe(header + length);
  wire[0] = FINAL_TEXT;
  if (header === 2) wire[1] = length;
  else if (header === 4) {
    wire[1] = LENGTH_16;
    wire.writeUInt16BE(length, 2);
  } else {
    wire[1] = LENGTH_64;
    wire.writeBigUInt64BE(BigInt(length), 2);
  }
  wire.write(text, header);
  return wire;
}
