/**
 * One kept-alive HTTP/1.1 connection, one request at a time, with as little work as possible: the load
 * must cost the client's core far less than the server's.
 *
 *     const connection = await connect(port);
 *     const { status, header, body } = await connection.send({ path: '/v1/…', headers: {}, body: {} });
 *     connection.close();
 */
import { once } from 'node:events';
import { type Socket, connect as tcpConnect } from 'node:net';

export type Post = { path: string; headers: Record<string, string>; body: unknown };

/** `body` is what `JSON.parse` made of it; strings beyond ASCII are not decoded. */
export type Answer = { status: number; header(name: string): string | undefined; body: unknown };

export type Connection = {
  send(post: Post): Promise<Answer>;
  /** False once the server has ended it, as servers do with one that is idle for some seconds. */
  isOpen(): boolean;
  close(): void;
};

export async function connect(port: number): Promise<Connection> {
  const socket = tcpConnect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return over(socket, port);
}

function over(socket: Socket, port: number): Connection {
  let received = '';
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  // One byte, one character: lengths in headers count bytes.
  socket.setEncoding('latin1');
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  socket.on('data', (chunk: string) => {
    received += chunk;
    const answer = readAnswer(received);
    if (!answer) return;
    received = '';
    const { resolve } = waiting ?? {};
    waiting = undefined;
    resolve?.(answer);
  });

  return {
    send: ({ path, headers, body }) =>
      new Promise<Answer>((resolve, reject) => {
        if (!socket.writable) throw new Error('the server closed the connection');
        waiting = { resolve, reject };
        const json = JSON.stringify(body);
        let head = `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\n`;
        for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
        socket.write(`${head}Content-Length: ${json.length}\r\n\r\n${json}`, 'latin1');
      }),
    isOpen: () => socket.writable,
    close: () => socket.destroy(),
  };
}

/** Undefined while it is incomplete. */
function readAnswer(text: string): Answer | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = text.slice(0, headEnd);
  const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1];
  const rest = text.slice(headEnd + 4);
  const length = header('content-length');
  const body = length === undefined ? unchunked(rest) : ofLength(rest, Number(length));
  if (body === undefined) return undefined;
  return { status: Number(head.slice(9, 12)), header, body: body === '' ? undefined : JSON.parse(body) };
}

const ofLength = (text: string, length: number) => (text.length < length ? undefined : text);

function unchunked(text: string): string | undefined {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (text.length < end + 2) return undefined;
    if (size === 0) return body;
    body += text.slice(lineEnd + 2, end);
    at = end + 2;
  }
}
