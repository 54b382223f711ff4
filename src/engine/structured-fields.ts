/**
 * Structured fields, read strictly. The grammar lets a later key or parameter overwrite an earlier one of the same name; what
 * one reader took from the first and another from the last would be two readings of one signature, so it is refused here.
 * @see RFC 9651
 */
import {
  isInnerList,
  parseDictionary,
  parseList,
  parseItem,
  type Dictionary,
  type InnerList,
  type Item,
  type List,
} from 'structured-headers'

/** @returns the dictionary; undefined when it is malformed, empty, or names a key or a parameter twice */
export function readDictionary(text: string): Dictionary | undefined {
  const read = attempt(() => parseDictionary(text))
  if (read === undefined || read.size === 0 || read.size !== 1 + countUnquoted(text, ',')) return undefined
  return hasEachParameterOnce(text, [...read.values()]) ? read : undefined
}

/** @returns the list; undefined when it is malformed or empty, or names a parameter twice */
export function readList(text: string): List | undefined {
  const read = attempt(() => parseList(text))
  return read !== undefined && read.length > 0 && hasEachParameterOnce(text, read) ? read : undefined
}

/** @returns the item; undefined when it is malformed or names a parameter twice */
export function readItem(text: string): Item | undefined {
  const read = attempt(() => parseItem(text))
  return read !== undefined && hasEachParameterOnce(text, [read]) ? read : undefined
}

/** A semicolon outside of strings begins a parameter, and nothing else does: fewer parameters than semicolons were overwritten. */
function hasEachParameterOnce(text: string, members: readonly (Item | InnerList)[]): boolean {
  let parameters = 0
  for (const member of members) {
    parameters += member[1].size
    if (isInnerList(member)) for (const [, own] of member[0]) parameters += own.size
  }
  return parameters === countUnquoted(text, ';')
}

function countUnquoted(text: string, wanted: ',' | ';'): number {
  let count = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isQuoted && character === '\\') at += 1
    else if (character === '"') isQuoted = !isQuoted
    else if (!isQuoted && character === wanted) count += 1
  }
  return count
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
