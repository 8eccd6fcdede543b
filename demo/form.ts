/**
 * Reads a posted form into a typed value, or into what to tell the visitor, field by field.
 *
 *     const form = await readForm(c, z.object({ email, phone_proof: proofField }));
 *     if (!form.ok) return show(c, form);   // the page again, values kept, errors in their places
 */
import type { Context } from 'hono';
import { z } from 'zod';

export type Rejected = {
  ok: false;
  values: Record<string, string>;
  /** By field name. */
  errors: Record<string, string>;
};

export type FormResult<T> = { ok: true; data: T } | Rejected;

const postedText = z.record(z.string(), z.string().catch(''));

export async function readForm<S extends z.ZodType>(c: Context, schema: S): Promise<FormResult<z.infer<S>>> {
  const values = postedText.parse(await c.req.parseBody());
  const parsed = schema.safeParse(values);
  if (parsed.success) return { ok: true, data: parsed.data };
  const errors: Record<string, string> = {};
  for (const { path, message } of parsed.error.issues) errors[String(path[0])] ??= message;
  return { ok: false, values, errors };
}

/** For what only the shop's records can tell, such as an e-mail address already taken. */
export function reject(values: Record<string, string>, errors: Record<string, string>): Rejected {
  return { ok: false, values, errors };
}

export const textField = (label: string) =>
  z.string().trim().min(1, `${label} is missing.`).max(80, `${label} is too long.`);

export const emailField = z
  .string()
  .trim()
  .max(254)
  .pipe(z.email('That does not look like an e-mail address.'));

export const newPasswordField = z
  .string()
  .min(10, 'Use at least 10 characters.')
  .max(200, 'Use at most 200 characters.');

/** What `<phone-proof>` submits. Whether it is any good is for the verifier's library to say. */
export const proofField = z
  .string('Confirm your number first.')
  .min(1, 'Confirm your number first.')
  .max(8192);
