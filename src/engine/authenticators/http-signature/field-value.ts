/** The value of a field as a signature takes it. */
import {
  isInnerList,
  serializeBareItem,
  serializeDictionary,
  serializeInnerList,
  serializeItem,
  serializeList,
} from 'structured-headers'
import type { FieldForm } from './component.ts'
import { readDictionary, readItem, readList } from '../../structured-fields.ts'

/**
 * Fields that are known to be structured, which `sf` needs to know: the same text may be an item and a list.
 * @see RFC 9421, section 2.1.1
 */
const structuredTypes: ReadonlyMap<string, 'dictionary' | 'list' | 'item'> = new Map([
  ['content-digest', 'dictionary'],
  ['repr-digest', 'dictionary'],
  ['want-content-digest', 'dictionary'],
  ['want-repr-digest', 'dictionary'],
  ['signature-input', 'dictionary'],
  ['signature', 'dictionary'],
  ['priority', 'dictionary'],
  ['client-cert', 'item'],
  ['client-cert-chain', 'list'],
  ['accept-ch', 'list'],
  ['idempotency-key', 'item'],
])

/**
 * @param lines the values of the field's lines, in order; at least one
 * @returns undefined when the field has no value of that form
 * @see RFC 9421, section 2.1
 */
export function fieldValue(name: string, lines: readonly string[], form: FieldForm): string | undefined {
  const trimmed = lines.map(trimWhitespace)
  const whole = trimmed.join(', ')
  switch (form.as) {
    case 'lines':
      return isAscii(whole) ? whole : undefined
    case 'bytes':
      return trimmed.map((line) => serializeBareItem(Buffer.from(line, 'latin1'))).join(', ')
    case 'structured':
      return structured(name, whole)
    case 'member':
      return member(whole, form.key)
  }
}

function structured(name: string, text: string): string | undefined {
  switch (structuredTypes.get(name)) {
    case 'dictionary': {
      const read = readDictionary(text)
      return read && serializeDictionary(read)
    }
    case 'list': {
      const read = readList(text)
      return read && serializeList(read)
    }
    case 'item': {
      const read = readItem(text)
      return read && serializeItem(read)
    }
    case undefined:
      return undefined
  }
}

function member(text: string, key: string): string | undefined {
  const found = readDictionary(text)?.get(key)
  if (found === undefined) return undefined
  return isInnerList(found) ? serializeInnerList(found) : serializeItem(found)
}

/** Optional whitespace is space and tab; `trim` would take more, and bytes that a backend keeps. */
function trimWhitespace(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** Other bytes have no one reading as text: who signs them uses `bs`. */
function isAscii(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at)
    if (code > 0x7e || (code < 0x20 && code !== 0x09)) return false
  }
  return true
}
