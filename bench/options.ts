// What the command line asks for.
import { parseArgs } from 'node:util'

/** What can be found out. */
export const measures: readonly ['cpu', 'latency', 'memory', 'profile'] = [
  'cpu',
  'latency',
  'memory',
  'profile',
]

export type Measure = (typeof measures)[number]

/** How a run is measured. */
export interface BenchOptions {
  readonly isQuick: boolean
  readonly jsonFile: string | undefined
  readonly measures: readonly Measure[]
  /** Measured runs of each row; the median counts. */
  readonly rounds: number
  /** Length of one measured run. */
  readonly seconds: number
  readonly connections: number
  /** Different tokens of the cold rows; must be more than the gateway remembers. */
  readonly coldTokens: number
  /** Requests a second of the latency rows. */
  readonly rate: number
  /** Only rows whose name contains one of these (`nginx plain` is always there). */
  readonly only: readonly string[]
  /** The row to profile instead of measuring. */
  readonly profile: string | undefined
}

/** The text of `--help`. */
export const usage: string = `npm run bench -- [options]

  --quick            fewer and shorter rounds: good for a look, not for a claim
  --json FILE        also write everything that was found; \`node bench/page.ts FILE\` makes docs/performance.md of it
  --only A,B         only rows whose name contains A or B (* stands for any text; a whole name means that row)
  --measure A,B      of ${measures.join(', ')} (default all; with --only, cpu)
  --rounds N         measured runs of each row (default 5, quick 3)
  --seconds N        length of a run (default 3, quick 1)
  --connections N    open connections (default 64)
  --cold-tokens N    different tokens of the cold rows (default 15000, quick 12000)
  --rate N           requests a second where latency is measured (default 2000)
  --profile ROW      where that row's time goes, instead of measuring; --seconds N of load (default 10)
  --list             the names of all rows
`

/** What is asked for instead of a run. */
export type Request = BenchOptions | 'help' | 'list'

/**
 * Reads the options.
 *
 * @throws {Error} for an option that is not known, or a number that is none
 */
export function readOptions(args: readonly string[]): Request {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      list: { type: 'boolean' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      only: { type: 'string' },
      measure: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      'cold-tokens': { type: 'string' },
      rate: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  if (values.help === true) return 'help'
  if (values.list === true) return 'list'
  const isQuick = values.quick === true
  const usualSeconds = values.profile === undefined ? 3 : 10
  const only = words(values.only)
  return {
    isQuick,
    jsonFile: values.json,
    measures: readMeasures(words(values.measure), only.length > 0),
    rounds: positive('rounds', values.rounds, isQuick ? 3 : 5),
    seconds: positive('seconds', values.seconds, isQuick ? 1 : usualSeconds),
    connections: positive('connections', values.connections, 64),
    coldTokens: positive('cold-tokens', values['cold-tokens'], isQuick ? 12_000 : 15_000),
    rate: positive('rate', values.rate, 2000),
    only,
    profile: values.profile,
  }
}

function words(text = ''): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
}

function readMeasures(named: readonly string[], areRowsChosen: boolean): readonly Measure[] {
  if (named.length === 0) return areRowsChosen ? ['cpu'] : measures
  return named.map((name) => {
    const measure = measures.find((each) => each === name)
    if (measure === undefined) throw new Error(`--measure expects of ${measures.join(', ')}, found "${name}"`)
    return measure
  })
}

/** @throws {Error} naming the option, unless it is a whole number above zero */
export function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} expects a whole number above zero, found "${text}"`)
}
