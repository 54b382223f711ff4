/** What `Connection` may name: it makes fields vanish, so it must not reach those that decide something. */
import { isFieldName, withoutOws } from '../engine/fields.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'

/** Without these a request would be another one: routed, framed or judged differently by the next reader. */
const fixed: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'cookie',
  'content-length',
  // Whoever stands before us may pass the client's own Connection on: these tell who the client is.
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'client-cert',
  'client-cert-chain',
  'x-forwarded-client-cert',
])

/** Fits nearly every request; nothing in it needs a look. */
const usual = /^(?:keep-alive|close|upgrade)$/i

/** The form in which names are compared where a backend may fold `_` into `-`. */
export function protectedForm(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')
}

/**
 * @param value all `Connection` fields, joined by commas
 * @returns why the field is refused
 * @see RFC 9110, section 7.6.1
 */
export function connectionFault(value: string, identityNames: ReadonlySet<string>): Refusal | undefined {
  if (usual.test(value)) return undefined
  for (const option of value.split(',')) {
    const name = withoutOws(option)
    if (name === '' || usual.test(name)) continue
    if (!isFieldName(name)) return refuse('malformed_head', { detail: 'Connection holds no list of names' })
    const form = protectedForm(name)
    if (
      fixed.has(form) ||
      identityNames.has(form) ||
      form.startsWith('x-auth-') ||
      form.startsWith('x-portcullis-')
    )
      return refuse('connection_names_protected_field', { detail: form })
  }
  return undefined
}

/** @returns whether the list has the option, given in lower case */
export function hasOption(value: string, option: string): boolean {
  return value.split(',').some((each) => withoutOws(each).toLowerCase() === option)
}
