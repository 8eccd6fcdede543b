/**
 * HTTP as no client library would send it: bytes into a socket, bytes back.
 *
 *     const [answer] = await rawRequest(server.port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
 *     answer?.status;
 *
 * The connection is closed by us once nothing more comes: what matters is what the server said by then.
 */
import { connect } from 'node:net';

export type RawAnswer = { status: number; headers: Map<string, string>; body: string };

/** Longest silence that still counts as "it may be about to answer". */
const QUIET_MS = 1_500;

/**
 * @param bytes sent one after the other
 * @param halfClose ends our side after the last byte, as a client that gives up does
 */
export function rawRequest(
  port: number,
  bytes: string | Uint8Array | (string | Uint8Array)[],
  { halfClose = false }: { halfClose?: boolean } = {},
): Promise<RawAnswer[]> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const finish = () => {
      socket.destroy();
      resolve(parseAnswers(Buffer.concat(received).toString('utf8')));
    };
    socket.setTimeout(QUIET_MS, finish);
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (isWhole(Buffer.concat(received).toString('latin1'))) finish();
    });
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on('connect', () => {
      for (const part of [bytes].flat()) socket.write(part);
      if (halfClose) socket.end();
    });
  });
}

/** A final answer whose announced length has arrived. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || /^HTTP\/1\.1 1\d\d/.test(text)) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1];
  return length !== undefined ? text.length >= end + 4 + Number(length) : /\r\n0\r\n\r\n$/.test(text);
}

function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest.startsWith('HTTP/1.')) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const bytes = Buffer.from(rest.slice(end + 4));
    const length = headers.get('content-length');
    const taken = length === undefined ? bytes.length : Number(length);
    answers.push({
      status: Number(statusLine.split(' ')[1]),
      headers,
      body: dechunked(bytes.subarray(0, taken).toString(), headers),
    });
    rest = bytes.subarray(taken).toString();
  }
  return answers;
}

function dechunked(body: string, headers: Map<string, string>): string {
  if (headers.get('transfer-encoding') !== 'chunked') return body;
  let content = '';
  let rest = Buffer.from(body);
  for (;;) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.subarray(0, end).toString(), 16);
    if (!size) return content;
    content += rest.subarray(end + 2, end + 2 + size).toString();
    rest = rest.subarray(end + 4 + size);
  }
}
