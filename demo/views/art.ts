/**
 * The shop's drawings: SVG files from `public/`, set into the page so that they take its colours.
 *
 *     html`<a class="brand">${art('bicycle.svg')} Polder</a>`
 */
import { readFileSync } from 'node:fs';
import { raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

const drawings = new Map<string, HtmlEscapedString>();

export function art(file: 'bicycle.svg' | 'horizon.svg'): HtmlEscapedString {
  const known = drawings.get(file);
  if (known) return known;
  // Our own file, read once: nothing a visitor wrote passes through `raw`.
  const drawing = raw(readFileSync(new URL(`../public/${file}`, import.meta.url), 'utf8'));
  drawings.set(file, drawing);
  return drawing;
}
