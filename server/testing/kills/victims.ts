/**
 * Server processes on one store that are killed and start again.
 *
 *     const victims = await startVictims({ dir, env, onSpawn: (child) => children.add(child) });
 *     await victims.kill('one');
 *     await victims.stop();
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../scripts/free-port.ts';

export type Victims = {
  urls: string[];
  /**
   * Kills any of those that serve, once enough others do, or all at the same time, also those that are only just
   * starting. Starts them again at once. Returns how many that were.
   */
  kill(whom: 'one' | 'all'): Promise<number>;
  /** Ends them in order, and says what went wrong with them: nothing, usually. */
  stop(): Promise<string[]>;
};

const MAIN = fileURLToPath(new URL('../../main.ts', import.meta.url));
const SERVERS = 4;
/** Kills come faster than servers start: with fewer than these the next one waits. */
const LEAST_SERVING = 3;
const POLL_MS = 10;

type Victim = { port: number; child: ChildProcess; isServing: boolean };

/**
 * @param dir with a `phone-proof.config.json`
 * @param env beside the port
 * @param onSpawn gets each process, so that none outlives whoever asked
 */
export async function startVictims({
  dir,
  env,
  onSpawn,
}: {
  dir: string;
  env: Record<string, string>;
  onSpawn(child: ChildProcess): void;
}): Promise<Victims> {
  const complaints: string[] = [];
  let isOver = false;

  function start(port: number): Victim {
    const child = spawn(process.execPath, ['-C', 'source', MAIN, 'serve'], {
      cwd: dir,
      env: { PATH: process.env.PATH, PORT: String(port), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onSpawn(child);
    const victim = { port, child, isServing: false };
    let begun = '';
    child.stdout.on('data', (chunk) => {
      if (victim.isServing) return;
      begun += chunk;
      victim.isServing = begun.includes('"server.started"');
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.once('close', (code, signal) => {
      victim.isServing = false;
      if (said !== '') complaints.push(said);
      if (signal !== 'SIGKILL' && !(isOver && code === 0)) {
        complaints.push(`a server ended by itself: ${signal ?? `exit code ${code}`}`);
      }
    });
    return victim;
  }

  const ports = await Promise.all(Array.from({ length: SERVERS }, freePort));
  const victims = ports.map(start);
  const serving = () => victims.filter(({ isServing }) => isServing);
  const untilServing = async (count: number) => {
    while (serving().length < count) {
      if (complaints.length > 0) throw new Error(complaints.join('\n'));
      await delay(POLL_MS);
    }
  };
  await untilServing(SERVERS);

  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    async kill(whom) {
      await untilServing(LEAST_SERVING);
      const candidates = serving();
      const any = candidates[Math.floor(Math.random() * candidates.length)];
      const chosen = victims.filter((victim) => whom === 'all' || victim === any);
      const ended = chosen.map(({ child }) => once(child, 'exit'));
      for (const victim of chosen) {
        victim.isServing = false;
        victim.child.kill('SIGKILL');
      }
      await Promise.all(ended);
      for (const victim of chosen) victims[victims.indexOf(victim)] = start(victim.port);
      return chosen.length;
    },
    async stop() {
      await untilServing(SERVERS);
      isOver = true;
      const ended = victims.map(({ child }) => once(child, 'close'));
      for (const { child } of victims) child.kill('SIGTERM');
      await Promise.all(ended);
      return complaints;
    },
  };
}
