/** Component identifiers: what of a message a signature says it covers. */
import { serializeItem, type Item } from 'structured-headers'
import { isFieldName } from '../../fields.ts'
import { readItem } from '../../structured-fields.ts'

export const derivedNames = [
  '@method',
  '@target-uri',
  '@authority',
  '@scheme',
  '@request-target',
  '@path',
  '@query',
  '@query-param',
] as const
export type DerivedName = (typeof derivedNames)[number]

/** How a field's value is taken: as its lines stand, or in one of three stricter forms. */
export type FieldForm =
  | { readonly as: 'lines' }
  | { readonly as: 'structured' }
  | { readonly as: 'member'; readonly key: string }
  | { readonly as: 'bytes' }

export type Component =
  | {
      readonly kind: 'derived'
      readonly name: DerivedName
      /** Of `@query-param`: the parameter, percent-encoded as the signer wrote it. */
      readonly parameter?: string
      readonly identifier: string
    }
  | { readonly kind: 'field'; readonly name: string; readonly form: FieldForm; readonly identifier: string }

/**
 * @returns undefined for everything that is not understood or cannot be in a request: an unknown parameter would change
 * what is covered without our knowing; `req` belongs to responses, and `tr` to trailers, which no backend gets from us
 * @see RFC 9421, sections 2.1, 2.2 and 2.5
 */
export function componentOf([name, parameters]: Item): Component | undefined {
  if (typeof name !== 'string') return undefined
  const names = [...parameters.keys()]
  const identifier = serializeItem([name, parameters])
  if (name.startsWith('@')) {
    if (!isDerivedName(name)) return undefined
    if (name !== '@query-param') {
      return names.length === 0 ? { kind: 'derived', name, identifier } : undefined
    }
    const parameter = parameters.get('name')
    return names.length === 1 && typeof parameter === 'string'
      ? { kind: 'derived', name, parameter, identifier }
      : undefined
  }
  if (!isFieldName(name) || name !== name.toLowerCase()) return undefined
  const form = formOf(parameters)
  return form === undefined ? undefined : { kind: 'field', name, form, identifier }
}

/**
 * Reads a component as a configuration writes it: `@method`, `content-type`, `@query-param;name="id"`.
 * @returns undefined when it is none
 */
export function writtenComponent(text: string): Component | undefined {
  const [name = '', ...parameters] = text.split(/(?=;)/)
  const item = name.includes('"') ? undefined : readItem(`"${name}"${parameters.join('')}`)
  return item === undefined ? undefined : componentOf(item)
}

/**
 * @returns whether a signature over `covered` covers what is required. A whole field counts in whichever form it was taken;
 * one member of a dictionary is not the field.
 */
export function covers(covered: readonly Component[], required: Component): boolean {
  return covered.some(
    (each) =>
      each.identifier === required.identifier ||
      (each.kind === 'field' &&
        required.kind === 'field' &&
        each.name === required.name &&
        each.form.as !== 'member' &&
        required.form.as === 'lines'),
  )
}

function isDerivedName(name: string): name is DerivedName {
  return (derivedNames as readonly string[]).includes(name)
}

function formOf(parameters: Item[1]): FieldForm | undefined {
  if (parameters.size === 0) return { as: 'lines' }
  // `sf` beside `key` says nothing more (RFC 9421, section 2.1.2), and `bs` excludes both.
  const key = parameters.get('key')
  const isStructured = parameters.get('sf') === true
  if (typeof key === 'string' && parameters.size === (isStructured ? 2 : 1)) return { as: 'member', key }
  if (parameters.size !== 1) return undefined
  if (isStructured) return { as: 'structured' }
  return parameters.get('bs') === true ? { as: 'bytes' } : undefined
}
