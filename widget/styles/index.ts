/** The element's adopted style sheets, in order. That of the code comes with what it is for. */
import { controls } from './controls.ts';
import { layout } from './layout.ts';
import { tokens } from './tokens.ts';

export const styles = [tokens, layout, controls];
