/** The extensions of a certificate, of a revocation list and of its entries. @see RFC 5280 sections 4.2 and 5.2 */
import { DerFault, DerFields, derTags, elementsOf, readDer, type Der } from './der.ts'
import { readBoolean, readOctets, readOid } from './der-values.ts'

export interface Extension {
  readonly critical: boolean
  /** The DER of its value. */
  readonly value: Buffer
}

export type Extensions = ReadonlyMap<string, Extension>

const most = 64

/** @param element - a SEQUENCE OF Extension */
export function readExtensions(element: Der): Extensions {
  if (element.tag !== derTags.sequence) throw new DerFault('not a list of extensions')
  const extensions = new Map<string, Extension>()
  for (const each of elementsOf(element, most)) {
    const fields = new DerFields(each)
    const oid = readOid(fields.next())
    const flag = fields.optional(derTags.boolean)
    const value = readOctets(fields.next())
    fields.end()
    // Two of a kind: one reader would take the first, another the last.
    if (extensions.has(oid)) throw new DerFault(`the extension ${oid} twice`)
    extensions.set(oid, { critical: flag !== undefined && readBoolean(flag), value })
  }
  if (extensions.size === 0) throw new DerFault('an empty list of extensions')
  return extensions
}

/** @returns what `read` makes of the extension's value, undefined where it is absent */
export function readExtension<Value>(
  extensions: Extensions,
  oid: string,
  read: (value: Der) => Value,
): Value | undefined {
  const extension = extensions.get(oid)
  return extension === undefined ? undefined : read(readDer(extension.value))
}

/** @returns a critical extension that is none of these: nobody may act as if it were not there */
export function unknownCritical(extensions: Extensions, known: ReadonlySet<string>): string | undefined {
  for (const [oid, { critical }] of extensions) if (critical && !known.has(oid)) return oid
  return undefined
}
