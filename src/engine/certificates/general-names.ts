/** The names of a certificate beside its distinguished one. @see RFC 5280 section 4.2.1.6 */
import { derTags, DerFault, elementsOf, explicit, retagged, type Der } from './der.ts'
import { readName, type DistinguishedName } from './names.ts'

export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly value: string }
  | { readonly kind: 'ip'; readonly bytes: Buffer }
  | { readonly kind: 'directory'; readonly name: DistinguishedName }
  /** Of a form that nothing here reads; `tag` tells which. */
  | { readonly kind: 'other'; readonly tag: number }

const limit = 1024

/** @param element - a SEQUENCE OF GeneralName, which may not be empty */
export function readGeneralNames(element: Der): readonly GeneralName[] {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of names')
  const names = elementsOf(element, limit).map(readGeneralName)
  if (names.length === 0) throw new DerFault('an empty list of names')
  return names
}

export function readGeneralName(element: Der): GeneralName {
  switch (element.tag) {
    case 0x81:
      return { kind: 'email', value: ia5(element) }
    case 0x82:
      return { kind: 'dns', value: ia5(element) }
    case 0x86:
      return { kind: 'uri', value: ia5(element) }
    case 0x87:
      return { kind: 'ip', bytes: element.body }
    case 0xa4:
      return { kind: 'directory', name: readName(explicit(element)) }
    case 0xa0:
    case 0xa3:
    case 0xa5:
    case 0x88:
      return { kind: 'other', tag: element.tag }
    default:
      throw new DerFault('an unknown kind of name')
  }
}

/** The list of names under an IMPLICIT tag. */
export function readImplicitNames(element: Der): readonly GeneralName[] {
  return readGeneralNames(retagged(element, derTags.sequence))
}

/** Equal as the forms demand: hosts without case, everything else exactly. */
export function isSameName(one: GeneralName, other: GeneralName): boolean {
  if (one.kind === 'directory') return other.kind === 'directory' && one.name.key === other.name.key
  if (one.kind === 'ip') return other.kind === 'ip' && one.bytes.equals(other.bytes)
  if (one.kind === 'other' || other.kind !== one.kind) return false
  return one.kind === 'dns'
    ? one.value.toLowerCase() === other.value.toLowerCase()
    : one.value === other.value
}

/** A NUL or a line break in a name has fooled many a reader of it: only visible ASCII is a name. */
function ia5(element: Der): string {
  if (element.body.some((byte) => byte < 0x20 || byte > 0x7e)) throw new DerFault('a name with foreign bytes')
  return element.body.toString('latin1')
}
