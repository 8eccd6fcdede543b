/**
 * The machine under the figures: what it is, which core does what, and what a process has used of it.
 *
 *     spawn(...pinnedTo(SERVER_CORE, process.execPath, ['server.ts']));
 *     const { cpuSeconds, residentBytes } = usageOf(pid);
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';

export const SERVER_CORE = 0;
/** The load's, and Redis's: so that the server has its core to itself. */
export const CLIENT_CORE = 1;

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** The command that runs another on one core, where the machine can do that. */
export const pinnedTo = (core: number, command: string, args: string[]): [string, string[]] =>
  canPin ? ['taskset', ['-c', String(core), command, ...args]] : [command, args];

export type Usage = { cpuSeconds: number; residentBytes: number };

/** USER_HZ is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** All threads of a process, from /proc; zeros where there is none. */
export function usageOf(pid: number): Usage {
  try {
    // The second field is a name in parentheses, which may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const residentKiB = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { cpuSeconds: ticks / TICKS_PER_SECOND, residentBytes: Number(residentKiB) * 1_024 };
  } catch {
    return { cpuSeconds: 0, residentBytes: 0 };
  }
}

/** One line under every table. */
export function machineFacts({ isPinned }: { isPinned: boolean }): string {
  const [first] = cpus();
  return [
    `${availableParallelism()} × ${first?.model.trim() ?? 'unknown CPU'}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${type()} ${release()}`,
    `Node ${process.versions.node}`,
    canPin && isPinned ? 'server on one core, load and Redis on another' : 'nothing pinned to a core',
  ].join(', ');
}
