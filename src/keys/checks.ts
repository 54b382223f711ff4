/** Checks of single values. Each tells what was expected; none repeats a value that might be a secret. */
import { isRange } from '../engine/addresses.ts'
import { ownClaims } from '../engine/authenticators/api-key/identity.ts'
import { parseDuration, parseRate, parseTime } from '../engine/units.ts'
import type { Fault } from './problem.ts'

/** Collects faults under one path, so that all are told at once. */
export class Checker {
  readonly faults: Fault[]
  readonly #base: string

  constructor(faults: Fault[] = [], base = '') {
    this.faults = faults
    this.#base = base
  }

  fault(member: string, message: string): void {
    const path = this.#base === '' || member === '' ? `${this.#base}${member}` : `${this.#base}.${member}`
    this.faults.push({ path, message })
  }

  /** Free text that people read in lists, logs and headers: what would be invisible there, or reorder the rest, is refused. */
  text(member: string, value: string, longest: number): void {
    if (value === '') this.fault(member, 'must not be empty')
    else if (value.length > longest) this.fault(member, `must have at most ${longest} characters`)
    else if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(value)) {
      this.fault(member, 'must not have control or invisible characters')
    } else if (value.trim() !== value) this.fault(member, 'must not begin or end with a space')
  }

  optionalText(member: string, value: string | undefined, longest: number): void {
    if (value !== undefined) this.text(member, value, longest)
  }

  /** An id of an imported key. */
  id(member: string, value: string): void {
    if (!/^[\x21-\x7e]{1,128}$/.test(value)) this.fault(member, 'must be 1 to 128 visible ASCII characters')
  }

  /**
   * A certificate's SHA-256 as tools print it: hexadecimal, with or without colons, in either case.
   *
   * @returns 64 lower-case hexadecimal digits
   */
  fingerprint(member: string, value: string | undefined): string | undefined {
    if (value === undefined) return undefined
    const hex = value.replaceAll(':', '').toLowerCase()
    if (!/^[0-9a-f]{64}$/.test(hex)) {
      this.fault(member, 'must be the SHA-256 fingerprint of the certificate: 64 hexadecimal digits')
    }
    return hex
  }

  /** @see RFC 6749 section 3.3 */
  scopes(member: string, values: readonly string[]): void {
    for (const [at, value] of values.entries()) {
      if (!/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/.test(value)) {
        this.fault(
          `${member}[${at}]`,
          'must be a scope: visible ASCII without spaces, quotes and backslashes',
        )
      }
    }
  }

  texts(member: string, values: readonly string[], longest: number): void {
    for (const [at, value] of values.entries()) this.text(`${member}[${at}]`, value, longest)
  }

  metadata(member: string, values: Readonly<Record<string, string>>): void {
    const entries = Object.entries(values)
    if (entries.length > 64) this.fault(member, 'must have at most 64 entries')
    for (const [name, value] of entries) {
      const path = `${member}.${name}`
      if (!/^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$/.test(name)) {
        this.fault(member, 'names must be letters, digits and _ . : / -, at most 128')
      } else if ((ownClaims as readonly string[]).includes(name)) this.fault(path, 'is a name of our own')
      else if (name === '__proto__') this.fault(path, 'cannot be a name')
      if (value !== '') this.text(path, value, 1_024)
    }
  }

  ranges(member: string, values: readonly string[]): void {
    for (const [at, value] of values.entries()) {
      const path = `${member}[${at}]`
      if (!isRange(value)) this.fault(path, 'must be an address or a CIDR range, such as 10.0.0.0/8')
      // ::ffff:10.0.0.0/8 means all of IPv4, though it does not look so.
      else if (isWideMapped(value)) this.fault(path, 'must be written as an IPv4 range')
    }
  }

  routes(member: string, values: readonly string[], known: readonly string[]): void {
    for (const [at, value] of values.entries()) {
      if (known.includes(value)) continue
      const some = known.slice(0, 10).join(', ')
      this.fault(
        `${member}[${at}]`,
        `is no route of the configuration (${some}${known.length > 10 ? ', …' : ''})`,
      )
    }
  }

  rate(member: string, value: string | undefined): void {
    if (value !== undefined && parseRate(value) === undefined) {
      this.fault(member, 'must be a rate, such as 10/1s')
    }
  }

  duration(member: string, value: string): number | undefined {
    const duration = parseDuration(value)
    if (duration === undefined) this.fault(member, 'must be a duration, such as 30s, 12h or 30d')
    return duration
  }

  time(member: string, value: string | undefined): number | undefined {
    if (value === undefined) return undefined
    const time = parseTime(value)
    if (time === undefined) this.fault(member, 'must be an RFC 3339 time, such as 2027-01-31T12:00:00Z')
    return time
  }
}

function isWideMapped(range: string): boolean {
  if (!/^[0:]*:ffff:/i.test(range)) return false
  const slash = range.indexOf('/')
  return slash !== -1 && Number(range.slice(slash + 1)) < 96
}
