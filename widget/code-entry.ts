/**
 * The code as a person enters it: typed, pasted, filled in by the phone or by the browser, by one path.
 *
 *     const entry = new CodeEntry();
 *     entry.take(inputElement, shape);     // on every input event
 *     if (entry.isComplete(shape)) …
 */
import type { CodeShape } from '../server/contract.ts';
import { readCode } from './codes.ts';

export class CodeEntry {
  text = '';
  /** The last wrong code: the same again is not worth an attempt. */
  refused = '';

  isComplete({ length }: CodeShape): boolean {
    return this.text.length === length;
  }

  clear(): void {
    this.text = '';
    this.refused = '';
  }

  /**
   * Reads an input, and tidies it only where it holds more than code: a value written for nothing
   * makes the caret jump on Android.
   */
  take(input: HTMLInputElement, shape: CodeShape): void {
    this.text = readCode(input.value, shape);
    if (input.value === this.text) return;
    const caret = readCode(input.value.slice(0, input.selectionStart ?? undefined), shape).length;
    input.value = this.text;
    input.setSelectionRange(caret, caret);
  }
}
