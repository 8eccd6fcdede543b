/**
 * The load, in a process of its own: takes one job from its parent, says when the measured part begins,
 * and answers with figures.
 *
 *     child.send({ port, flow: 'ours', firstFlow: 0, shape: { kind: 'saturated', … } } satisfies Job);
 *
 * `saturated`: as many connections as asked, each with one flow after another. `paced`: flows begin at
 * random moments (Poisson) at a given rate whatever the server does, and a start's latency counts from
 * the moment it was due, so that a slow answer cannot hide the ones that waited behind it.
 */
import { type Answer, type Connection, connect, type Post } from './connection.ts';
import { type FlowName, flows } from './flows.ts';
import { type Latency, summarise } from './latency.ts';

export type Job = {
  port: number;
  flow: FlowName;
  /** Flows are numbered from here, so that no number is verified twice on one server. */
  firstFlow: number;
  shape: Shape;
};

export type Shape = {
  /** What is not counted. */
  warmUpMs: number;
  durationMs: number;
} & (
  | {
      kind: 'saturated';
      connections: number;
      /** Goes on beyond `durationMs` until so many are done. */
      minFlows: number;
    }
  | { kind: 'paced'; flowsPerSecond: number }
);

export type Load = {
  flows: number;
  seconds: number;
  /** Of requests, starts and checks together. */
  latency: Latency;
  /** Share of a core that the load itself took: near 1, the figures are the client's and not the server's. */
  clientCpu: number;
  nextFlow: number;
};

export type Report =
  | { kind: 'measuring' }
  | { kind: 'progress'; flows: number }
  | { kind: 'done'; load: Load }
  | { kind: 'failed'; error: string };

/** Open beforehand at a given pace; more are made when all are busy. */
const POOL = 32;
const PROGRESS_MS = 250;

const report = (message: Report) => process.send?.(message);

async function perform({ port, flow: name, firstFlow, shape }: Job): Promise<Load> {
  const flow = flows[name];
  let nextFlow = firstFlow;
  let count = 0;
  let latencies: number[] = [];

  async function timed(connection: Connection, post: Post, dueAt: number): Promise<Answer> {
    const answer = await connection.send(post);
    latencies.push(performance.now() - dueAt);
    return answer;
  }

  async function verify(connection: Connection, dueAt = performance.now()): Promise<void> {
    const n = nextFlow;
    nextFlow += 1;
    const started = await timed(connection, flow.start(n), dueAt);
    const checked = await timed(connection, flow.check(n, started), performance.now());
    if (!flow.isDone(checked)) throw new Error(`flow ${n} was not verified`);
    count += 1;
  }

  const size = shape.kind === 'saturated' ? shape.connections : POOL;
  const idle = await Promise.all(Array.from({ length: size }, () => connect(port)));

  async function saturate(isOver: () => boolean): Promise<void> {
    await Promise.all(
      idle.map(async (connection) => {
        while (!isOver()) await verify(connection);
      }),
    );
  }

  async function pace(flowsPerSecond: number, isOver: () => boolean): Promise<void> {
    const underWay = new Set<Promise<void>>();
    let failure: unknown;
    const begin = async (dueAt: number) => {
      let connection = idle.pop();
      while (connection && !connection.isOpen()) connection = idle.pop();
      connection ??= await connect(port);
      await verify(connection, dueAt);
      idle.push(connection);
    };
    const gapMs = () => (-Math.log(1 - Math.random()) * 1_000) / flowsPerSecond;
    let dueAt = performance.now();
    while (!isOver()) {
      while (dueAt <= performance.now()) {
        const flowUnderWay: Promise<void> = begin(dueAt)
          .catch((error: unknown) => {
            failure = error;
          })
          .finally(() => underWay.delete(flowUnderWay));
        underWay.add(flowUnderWay);
        dueAt += gapMs();
      }
      if (failure) throw failure;
      await new Promise((resolve) => setTimeout(resolve, dueAt - performance.now()));
    }
    await Promise.all(underWay);
    if (failure) throw failure;
  }

  const drive = (isOver: () => boolean) =>
    shape.kind === 'saturated' ? saturate(isOver) : pace(shape.flowsPerSecond, isOver);
  const after = (ms: number) => {
    const until = performance.now() + ms;
    return () => performance.now() >= until;
  };

  await drive(after(shape.warmUpMs));

  count = 0;
  latencies = [];
  report({ kind: 'measuring' });
  const progress = setInterval(() => report({ kind: 'progress', flows: count }), PROGRESS_MS);
  const [from, cpuBefore] = [performance.now(), process.cpuUsage()];
  const isTimeUp = after(shape.durationMs);
  const minFlows = shape.kind === 'saturated' ? shape.minFlows : 0;
  await drive(() => isTimeUp() && count >= minFlows);
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  clearInterval(progress);

  for (const connection of idle) connection.close();
  return {
    flows: count,
    seconds,
    latency: summarise(latencies),
    clientCpu: (user + system) / 1e6 / seconds,
    nextFlow,
  };
}

process.once('message', (job: Job) => {
  perform(job)
    .then(
      (load) => report({ kind: 'done', load }),
      (error: unknown) => report({ kind: 'failed', error: String(error) }),
    )
    .finally(() => process.disconnect());
});
