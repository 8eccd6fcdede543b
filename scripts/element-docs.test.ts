import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { elementDocs } from './element-docs.ts';

it('is what docs/element.md says: otherwise run scripts/element-docs.ts', () => {
  expect(readFileSync('docs/element.md', 'utf8')).toBe(elementDocs());
});

it('names every tag of the class', () => {
  const source = readFileSync('widget/phone-proof.ts', 'utf8');
  const names = [...source.matchAll(/^ \* @(?:attr|fires|cssstate|csspart|cssprop) (?:\{.+?\} )?([\w-]+)/gm)];
  expect(names.length).toBeGreaterThan(50);
  for (const [, name = ''] of names) expect(elementDocs()).toContain(name);
});
