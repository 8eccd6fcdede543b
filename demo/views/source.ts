/**
 * The lines of a page's own source that check its proof, to be shown to the visitor who is a developer.
 *
 *     const check = checkSource(import.meta.url);
 *
 * They are cut out of the running file (`// #region check` … `// #endregion`), so what is shown
 * cannot differ from what ran.
 */
import { readFileSync } from 'node:fs';

export function checkSource(moduleUrl: string): string {
  const source = readFileSync(new URL(moduleUrl), 'utf8');
  const region = /^[ \t]*\/\/ #region check\n([\s\S]*?)^[ \t]*\/\/ #endregion/m.exec(source)?.[1];
  if (region === undefined) throw new Error(`${moduleUrl} has no '#region check'`);
  const lines = region.trimEnd().split('\n');
  const indent = Math.min(...lines.filter((line) => line !== '').map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent)).join('\n');
}
