// What the data plane should reach, and whether a run shows it.
import { nodePeers } from './targets/node-peers.ts'
import { baseline } from './rows.ts'
import type { Result } from './result.ts'

/** One goal, as the README of the project and the issue state it. */
export interface Verdict {
  readonly goal: string
  /** What was compared with what. */
  readonly compared: string
  readonly limit: number
  readonly unit: 'times' | 'KiB'
  /** Undefined where a row is missing. */
  readonly found: number | undefined
  readonly verdict: 'met' | 'missed' | 'not measured'
}

/** Judges all goals. */
export function judge(result: Result): readonly Verdict[] {
  const cpu = (name: string): number =>
    result.rows.find((row) => row.name === name)?.cpuMicrosPerRequest ?? Number.NaN
  const ratio = (goal: string, one: string, other: string, limit: number): Verdict =>
    verdict(goal, `${one} ÷ ${other}`, cpu(one) / cpu(other), limit, 'times')

  const warm = worst(['api-key', 'HS256 warm', 'RS256 warm', 'ES256 warm'].map(wire), cpu)
  const peer = best(
    nodePeers.map((name) => `${name} HS256`),
    cpu,
  )
  const memory = result.memory.find(({ name }) => name === wire('RS256 warm'))?.kibPerConnection
  return [
    ratio('nginx, plain proxy, no auth', warm, baseline, 1.35),
    ratio('HAProxy `jwt_verify` HS256', wire('HS256 warm'), 'haproxy HS256', 0.75),
    ratio('HAProxy `jwt_verify` RS256', wire('RS256 warm'), 'haproxy RS256', 0.42),
    ratio('HAProxy `jwt_verify` ES256', wire('ES256 warm'), 'haproxy ES256', 0.25),
    ratio('HAProxy, every token new, RS256', wire('RS256 cold'), 'haproxy RS256 cold', 1.15),
    ratio('HAProxy, every token new, ES256', wire('ES256 cold'), 'haproxy ES256 cold', 1.15),
    ratio('the best Node.js gateway or proxy', wire('HS256 warm'), peer, 0.2),
    ratio('TLS, against nginx TLS plain', wire('TLS'), 'nginx TLS', 1.6),
    verdict('memory for an idle connection', wire('RS256 warm'), memory ?? Number.NaN, 6, 'KiB'),
    ratio('10,000 routes against 10', wire('routes 10000'), wire('routes 10'), 1.05),
    ratio('1M keys against 1k', wire('keys 1M'), wire('keys 1k'), 1.05),
    ratio('1M revocations against 1k', wire('revocations 1M'), wire('revocations 1k'), 1.05),
  ]
}

function wire(label: string): string {
  return `portcullis wire ${label}`
}

/** Of the rows that were measured, the most expensive one; a promise for all is kept by the worst. */
function worst(names: readonly string[], cpu: (name: string) => number): string {
  return names.toSorted((a, b) => comparable(cpu(b), -1) - comparable(cpu(a), -1))[0] ?? ''
}

function best(names: readonly string[], cpu: (name: string) => number): string {
  return names.toSorted((a, b) => comparable(cpu(a), Infinity) - comparable(cpu(b), Infinity))[0] ?? ''
}

function comparable(value: number, otherwise: number): number {
  return Number.isNaN(value) ? otherwise : value
}

function verdict(
  goal: string,
  compared: string,
  value: number,
  limit: number,
  unit: Verdict['unit'],
): Verdict {
  const found = Number.isFinite(value) ? value : undefined
  const result = found === undefined ? 'not measured' : found <= limit ? 'met' : 'missed'
  return { goal, compared, limit, unit, found, verdict: result }
}

/** What two equal rows differ by, as a part: no ratio of this run is known better than that. */
export function noiseOf({ rows }: Result): number | undefined {
  const pairs = rows
    .filter(({ name }) => name.endsWith(' (again)'))
    .map(({ name, cpuMicrosPerRequest }) => {
      const first = rows.find((row) => `${row.name} (again)` === name)
      return Math.abs(cpuMicrosPerRequest / (first?.cpuMicrosPerRequest ?? Number.NaN) - 1)
    })
    .filter((part) => Number.isFinite(part))
  return pairs.length === 0 ? undefined : Math.max(...pairs)
}
