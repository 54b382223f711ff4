/** Reads `Signature-Input` and `Signature`, and finds the one signature that is meant for us. */
import { isInnerList, type BareItem, type InnerList } from 'structured-headers'
import { componentOf, type Component } from './component.ts'
import { readDictionary } from '../../structured-fields.ts'

/** A signature as it was sent, before anything is proven. Times are seconds since the epoch. */
export interface ReadSignature {
  readonly label: string
  readonly components: readonly Component[]
  readonly input: InnerList
  readonly keyId: string
  readonly created: number
  readonly expires?: number
  readonly nonce?: string
  readonly algorithm?: string
  readonly tag?: string
  readonly signature: Uint8Array
}

export type Found =
  | { readonly outcome: 'found'; readonly signature: ReadSignature }
  /** Well-formed as far as was looked at, but none of the keys that are known here made one. */
  | { readonly outcome: 'foreign' }
  | { readonly outcome: 'several' }
  | { readonly outcome: 'malformed'; readonly detail: string }

export interface Wanted {
  readonly isKnown: (keyId: string) => boolean
  /** Only signatures with this tag count. */
  readonly tag: string | undefined
}

/**
 * A proxy on the way may add signatures of its own, so others than ours stay unread. Two of ours would leave open which of
 * them speaks.
 *
 * @param input the values of `Signature-Input`, one for each line
 * @param signatures the values of `Signature`
 * @see RFC 9421, sections 4.1 to 4.3
 */
export function findSignature(
  input: readonly string[],
  signatures: readonly string[],
  wanted: Wanted,
): Found {
  const inputs = readDictionary(input.join(', '))
  if (inputs === undefined) return malformed('Signature-Input is no dictionary, or names something twice')
  const own: [string, InnerList][] = []
  for (const [label, member] of inputs) {
    if (!isInnerList(member)) return malformed('a member of Signature-Input is no list of components')
    if (isOwn(member[1], wanted)) own.push([label, member])
  }
  const [mine, second] = own
  if (mine === undefined) return { outcome: 'foreign' }
  if (second !== undefined) return { outcome: 'several' }
  const value = readDictionary(signatures.join(', '))?.get(mine[0])
  if (value === undefined || isInnerList(value) || !(value[0] instanceof ArrayBuffer) || value[1].size > 0) {
    return malformed('Signature has no bytes under that label')
  }
  return readSignature(mine[0], mine[1], new Uint8Array(value[0]))
}

/** @returns the key ids that the field names, for whoever only has to know whose it is */
export function keyIdsIn(input: string): readonly string[] {
  const members = [...(readDictionary(input)?.values() ?? [])]
  return members.flatMap(([, parameters]) => {
    const keyId = parameters.get('keyid')
    return typeof keyId === 'string' ? [keyId] : []
  })
}

function isOwn(parameters: ReadonlyMap<string, BareItem>, { isKnown, tag }: Wanted): boolean {
  const keyId = parameters.get('keyid')
  return typeof keyId === 'string' && isKnown(keyId) && (tag === undefined || parameters.get('tag') === tag)
}

const texts = { keyid: 'keyId', nonce: 'nonce', alg: 'algorithm', tag: 'tag' } as const
const times = { created: 'created', expires: 'expires' } as const

/** @see RFC 9421, section 2.3 */
function readSignature(label: string, input: InnerList, signature: Uint8Array): Found {
  const components = input[0].map(componentOf)
  if (!components.every((each) => each !== undefined)) return malformed('a component that no request has')
  const read: { -readonly [Member in keyof ReadSignature]?: ReadSignature[Member] } = {}
  for (const [name, value] of input[1]) {
    if (Object.hasOwn(texts, name) && typeof value === 'string')
      read[texts[name as keyof typeof texts]] = value
    else if (Object.hasOwn(times, name) && isTime(value)) {
      read[times[name as keyof typeof times]] = value
    } else return malformed('a parameter that is not understood')
  }
  const { keyId, created, expires, ...rest } = read
  if (keyId === undefined || created === undefined) return malformed('`created` is missing')
  if (expires !== undefined && expires <= created) return malformed('`expires` is before `created`')
  const optional = expires === undefined ? {} : { expires }
  return {
    outcome: 'found',
    signature: { ...rest, ...optional, label, components, input, keyId, created, signature },
  }
}

function isTime(value: BareItem): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function malformed(detail: string): Found {
  return { outcome: 'malformed', detail }
}
