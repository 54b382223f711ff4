/**
 * Which names a run of events holds, as a Bloom filter: "surely not" lets a reader pass over the run, "maybe" costs it a look.
 * @see https://doi.org/10.1145/362686.362692
 */
import type { AuditEntry } from '../../ports/audit-log.ts'
import { publicCodeOf, type AuditFilter } from '../read/filter.ts'

/** What people look for by name. An entry that is to be written and a record that was read both have it. */
export type Named = Pick<AuditEntry, 'outcome' | 'reason' | 'code' | 'route' | 'requestId' | 'identity'>

/** With a thousand requests of a thousand callers one look in a thousand is for nothing. Bytes. */
export const namesBytes = 4000

const bits = namesBytes * 8
const probes = 6

/** A name and what it is the name of: a route that is called as a subject is not that subject. */
const kinds = { outcome: 1, reason: 2, route: 3, requestId: 4, subject: 5 } as const

/** Gathers the names of a run. */
export class NamesBuilder {
  readonly bytes: Uint8Array = new Uint8Array(namesBytes)
  // Most events of a run name the same few: what is in need not be put in again.
  readonly #routes = new Set<string>()
  readonly #outcomes = new Set<string>()
  readonly #identities = new Set<object>()

  add(event: Named): void {
    const { outcome, reason, route, requestId, identity } = event
    if (!this.#outcomes.has(outcome)) {
      this.#outcomes.add(outcome)
      add(this.bytes, kinds.outcome, outcome)
    }
    if (reason !== undefined || event.code !== undefined) this.#addReason(event)
    if (route !== undefined && !this.#routes.has(route)) {
      this.#routes.add(route)
      add(this.bytes, kinds.route, route)
    }
    if (requestId !== undefined) add(this.bytes, kinds.requestId, requestId)
    if (identity !== undefined && !this.#identities.has(identity)) {
      // What is not frozen may name somebody else the next time.
      if (Object.isFrozen(identity)) this.#identities.add(identity)
      add(this.bytes, kinds.subject, identity.subject)
    }
  }

  #addReason(event: Named): void {
    const { reason } = event
    if (reason !== undefined) add(this.bytes, kinds.reason, reason)
    const code = publicCodeOf(event)
    if (code !== undefined) add(this.bytes, kinds.reason, code)
  }
}

/** @returns a question for the names of many runs: false where no event of the run can match */
export function askFor({
  subject,
  route,
  outcome,
  reason,
  requestId,
}: AuditFilter): (names: Uint8Array) => boolean {
  const asked = Object.entries({ subject, route, outcome, reason, requestId })
    .filter((pair): pair is [keyof typeof kinds, string] => pair[1] !== undefined)
    .map(([kind, name]) => ({ first: hashOf(kinds[kind], name), step: stepOf(hashOf(kinds[kind], name)) }))
  return (names) => asked.every(({ first, step }) => has(names, first, step))
}

function add(names: Uint8Array, kind: number, name: string): void {
  const first = hashOf(kind, name)
  const step = stepOf(first)
  for (let probe = 0; probe < probes; probe += 1) {
    const bit = ((first + Math.imul(probe, step)) >>> 0) % bits
    names[bit >>> 3]! |= 1 << (bit & 7)
  }
}

function has(names: Uint8Array, first: number, step: number): boolean {
  for (let probe = 0; probe < probes; probe += 1) {
    const bit = ((first + Math.imul(probe, step)) >>> 0) % bits
    if ((names[bit >>> 3]! & (1 << (bit & 7))) === 0) return false
  }
  return true
}

/** FNV-1a over UTF-16 units, then mixed: who chooses names that collide only makes looking for them slower. */
function hashOf(kind: number, name: string): number {
  let hash = Math.imul(0x811c9dc5 ^ kind, 0x01000193)
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
  return mixed(hash)
}

function stepOf(hash: number): number {
  return mixed(hash ^ 0x9e3779b9) | 1
}

/** The finaliser of MurmurHash3. */
function mixed(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
