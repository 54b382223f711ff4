/** What a TypeScript configuration exports, copied to plain data: nothing inherited, no getters, no functions. */
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import { deepest, isPoisonous, mostValues } from './document.ts'

export type PlainResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly complaints: readonly Complaint[] }

export function toPlain(exported: unknown): PlainResult {
  const complaints: Complaint[] = []
  const open = new Set<object>()
  let count = 0

  const refuse = (path: Path, message: string): undefined => {
    complaints.push({ path, message, expected: 'plain data: text, numbers, true, false, lists and objects' })
    return undefined
  }

  const copy = (value: unknown, path: Path): unknown => {
    if (++count > mostValues || path.length > deepest) {
      if (complaints.length === 0) refuse([], 'nested too deeply, or too large')
      return undefined
    }
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number')
      return Number.isFinite(value) ? value : refuse(path, 'this number is not finite')
    if (typeof value !== 'object') return refuse(path, `a ${typeof value} has no meaning here`)
    if (open.has(value)) return refuse(path, 'the value contains itself')
    if (!Array.isArray(value) && !isPlainObject(value))
      return refuse(path, 'an object of a class has no meaning here')
    open.add(value)
    const result = Array.isArray(value)
      ? value.map((item: unknown, index) => copy(item, [...path, index]))
      : copyMembers(value as Record<string, unknown>, path)
    open.delete(value)
    return result
  }

  const copyMembers = (value: Record<string, unknown>, path: Path): Record<string, unknown> => {
    const result: Record<string, unknown> = {}
    for (const [key, member] of Object.entries(value)) {
      // An undefined member is one that was not written: `tls: production ? {…} : undefined`.
      if (member === undefined) continue
      if (isPoisonous(key)) refuse([...path, key], 'this name is not allowed')
      else result[key] = copy(member, [...path, key])
    }
    return result
  }

  const value = copy(exported, [])
  return complaints.length === 0 ? { ok: true, value } : { ok: false, complaints }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // The file is loaded in this realm, but a JSON import or a test may come from another one.
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}
