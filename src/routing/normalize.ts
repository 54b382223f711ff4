/** Step 2 of a request's way: the target is looked at byte by byte, and its path brought into the one normal form. */
import { normalizePath, type PathOptions } from '../engine/normal-path.ts'
import { refuse, type Refusal } from '../engine/outcome.ts'

export type TargetOptions = PathOptions

export interface NormalTarget {
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
}

/**
 * @param target origin-form, as the client sent it
 * @returns the normal path and the untouched query; normalising the result again changes nothing
 * @see RFC 3986, section 6.2.2, of which only the unambiguous part is done
 */
export function normalizeTarget(target: string, options: TargetOptions): NormalTarget | Refusal {
  if (target.charCodeAt(0) !== slash) return refuse('target_invalid', { detail: 'not in origin-form' })
  let isNormal = true
  let end = -1
  let previous = 0
  for (let index = 0; index < target.length; index += 1) {
    const code = target.charCodeAt(index)
    if (code < 0x21 || code > 0x7e || code === hash) {
      return refuse('target_invalid', { detail: 'bytes that no target holds' })
    }
    if (end !== -1) continue
    if (code === question) end = index
    else if (
      code === percent ||
      code === backslash ||
      code === semicolon ||
      (previous === slash && (code === slash || code === dot))
    )
      isNormal = false
    previous = code
  }
  const path = end === -1 ? target : target.slice(0, end)
  const query = end === -1 ? '' : target.slice(end + 1)
  if (isNormal) return { path, query }
  const normal = normalizePath(path, options)
  return typeof normal === 'string' ? { path: normal, query } : normal
}

const hash = 0x23
const percent = 0x25
const dot = 0x2e
const slash = 0x2f
const semicolon = 0x3b
const question = 0x3f
const backslash = 0x5c
