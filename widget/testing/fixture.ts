/**
 * An element in a form in a page, and a person in front of it.
 *
 *     const { element, form, press, type, line } = await mount('required');
 */
import { html, render } from 'lit';
import { unsafeHTML } from 'lit/directives/unsafe-html.js';
import type { PhoneProof } from '../phone-proof.ts';
import '../phone-proof.ts';
import { healNetwork } from './network.ts';
import { codeSentTo, freshPhone } from './verifier.ts';

let stage: HTMLElement | undefined;

/** Also clears what an earlier test left: its element, its faults and what a reload would remember. */
export async function mount(attributes = '', { keepMemory = false, keepFaults = false } = {}) {
  stage?.remove();
  if (!keepFaults) healNetwork();
  if (!keepMemory) sessionStorage.clear();
  stage = document.createElement('div');
  document.body.append(stage);
  render(
    html`<form>
      ${unsafeHTML(
        `<phone-proof site-key="pk_test" server="${verifierUrl}" purpose="registration" ${attributes}></phone-proof>`,
      )}
      <button>Go on</button>
    </form>`,
    stage,
  );
  const element = stage.querySelector<PhoneProof>('phone-proof')!;
  const form = stage.querySelector('form')!;
  form.addEventListener('submit', (event) => event.preventDefault());
  await element.updateComplete;
  return { form, ...hands(element) };
}

export type Mounted = Awaited<ReturnType<typeof mount>>;

/** What a person does with an element, and what they see of it. */
export function hands(element: PhoneProof) {
  const find = <Kind extends HTMLElement>(selector: string) =>
    element.shadowRoot!.querySelector<Kind>(selector)!;
  const events: { type: string; detail: unknown }[] = [];
  for (const type of ['code-sent', 'verified', 'expired', 'failed', 'status-change']) {
    element.addEventListener(type, (event) => {
      events.push({ type, detail: event instanceof CustomEvent ? event.detail : undefined });
    });
  }
  const type = async (selector: '#number' | '#code', text: string) => {
    const input = find<HTMLInputElement>(selector);
    input.focus();
    input.value = text;
    input.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }));
    await element.updateComplete;
  };
  const press = async (selector: string) => {
    find<HTMLElement>(selector).focus();
    find<HTMLElement>(selector).click();
    await element.updateComplete;
  };
  const settle = (condition: () => unknown) => until(condition, () => `${element.status}: ${text('#line')}`);
  const text = (selector: string) =>
    (find(selector)?.textContent ?? '')
      .replace(/[\u2066\u2069]/g, '')
      .replace(/\s+/g, ' ')
      .trim();

  /** To the code step, with a number of its own. */
  const askForCode = async (phone = freshPhone()) => {
    await type('#number', phone);
    await press('#send');
    await settle(() => element.status === 'code');
    await element.updateComplete;
    return phone;
  };
  const verify = async (phone = freshPhone()) => {
    await askForCode(phone);
    await type('#code', await codeSentTo(phone));
    await settle(() => element.status === 'verified');
    await element.updateComplete;
    return phone;
  };
  return { element, events, find, text, type, press, settle, askForCode, verify };
}

/** Polls each frame: everything waited for here is near, and nothing is waited for longer than needed. */
export async function until(condition: () => unknown, describe = () => ''): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain; now ${describe()}: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
