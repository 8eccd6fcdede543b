/**
 * `bench/RESULTS.md`: one section a benchmark, each replaced by its next run.
 *
 *     writeSection('Throughput', table(['server', 'flows/s'], rows), 'npm run bench');
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { machineFacts } from './machine.ts';

const file = new URL('RESULTS.md', import.meta.url);
const TITLE =
  '# Benchmark results\n\nWritten by the benchmarks themselves; each run replaces its own section.\n';

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Prints it, too. `isPinned`: `pinnedTo` its core ran what the figures are about. */
export function writeSection(
  title: string,
  body: string,
  command: string,
  { isPinned = true }: { isPinned?: boolean } = {},
): void {
  const day = new Date().toISOString().slice(0, 10);
  const section = `## ${title}\n\n${body}\n\n${day}, \`${command}\`: ${machineFacts({ isPinned })}.\n`;
  console.log(`\n${section}`);
  const [head = TITLE, ...sections] = existsSync(file)
    ? readFileSync(file, 'utf8').split(/^(?=## )/m)
    : [`${TITLE}\n`];
  const at = sections.findIndex((one) => one.startsWith(`## ${title}\n`));
  if (at === -1) sections.push(section);
  else sections[at] = section;
  writeFileSync(file, `${head}${sections.map((one) => one.trimEnd()).join('\n\n')}\n`);
}
