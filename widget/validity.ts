/**
 * Whether the form may go, computed from what the element is; nothing here touches the page.
 *
 *     validityOf({ isRequired: true, step: 'phone' }, t)   // { valueMissing: true }, 'Verify your …'
 */
import type { Flow } from './flow.ts';
import type { Messages } from './locales/index.ts';

export type Validity = { flags: ValidityStateFlags; message: string };

export function validityOf(
  { isRequired, step }: { isRequired: boolean; step: Flow['step'] },
  t: Messages,
): Validity {
  if (!isRequired || step === 'verified') return { flags: {}, message: '' };
  return { flags: { valueMissing: true }, message: step === 'code' ? t.requiredCode : t.requiredPhone };
}
