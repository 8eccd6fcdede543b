/**
 * Which languages there are, and how one is loaded. English is part of the element, so that there are
 * words at once and always; every other language is a file of its own, fetched when it is wanted.
 *
 *     const messages = await loadMessages('pt-BR');   // or its closest relative, or English
 */
import en from './en.ts';
import type { Messages } from './messages.ts';

export type { Messages } from './messages.ts';
export const fallback: Messages = en;

/** By BCP 47 tag, lower case: `'pt-br': () => import('./pt-br.ts')`. */
const loaders: Record<string, () => Promise<{ default: Messages }>> = {};

/** The first that is a language tag at all: pages carry `lang="en_US"` and worse, and `Intl` throws at it. */
export const firstLocale = (...tags: (string | null | undefined)[]): string =>
  tags.find((tag) => tag && isTag(tag)) ?? 'en';

function isTag(text: string): boolean {
  try {
    return Boolean(new Intl.Locale(text));
  } catch {
    return false;
  }
}

export async function loadMessages(locale: string): Promise<Messages> {
  const parts = locale.toLowerCase().split('-');
  for (let length = parts.length; length > 0; length--) {
    const load = loaders[parts.slice(0, length).join('-')];
    // A language that fails to load (offline, blocked) is no reason to show nothing.
    if (load)
      return load().then(
        ({ default: messages }) => messages,
        () => fallback,
      );
  }
  return fallback;
}
