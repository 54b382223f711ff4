// What the command line asks for.
import { parseArgs } from 'node:util'

/** How a run is measured. */
export interface BenchOptions {
  readonly isQuick: boolean
  readonly jsonFile: string | undefined
  /** Measured runs of each row; the median counts. */
  readonly rounds: number
  /** Length of one measured run. */
  readonly seconds: number
  readonly connections: number
  /** Different tokens of the cold rows; must be more than the gateway remembers. */
  readonly coldTokens: number
  /** Only rows whose name contains one of these (`nginx plain` is always there). */
  readonly only: readonly string[]
  /** The row to profile instead of measuring. */
  readonly profile: string | undefined
}

/** The text of `--help`. */
export const usage = `npm run bench -- [options]

  --quick            fewer and shorter rounds: good for a look, not for a claim
  --json FILE        also write everything that was found; bench/README.md tells its shape
  --only A,B         only rows whose name contains A or B (* stands for any text; a whole name means that row)
  --rounds N         measured runs of each row (default 5, quick 3)
  --seconds N        length of a run (default 3, quick 1)
  --connections N    open connections (default 64)
  --cold-tokens N    different tokens of the cold rows (default 15000, quick 12000)
  --profile ROW      where that row's time goes, instead of measuring; --seconds N of load (default 10)
`

/**
 * Reads the options.
 *
 * @returns undefined where `--help` is asked for
 * @throws {Error} for an option that is not known, or a number that is none
 */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      connections: { type: 'string' },
      'cold-tokens': { type: 'string' },
      profile: { type: 'string' },
    },
  })
  if (values.help === true) return undefined
  const isQuick = values.quick === true
  const usualSeconds = values.profile === undefined ? 3 : 10
  return {
    isQuick,
    jsonFile: values.json,
    rounds: positive('rounds', values.rounds, isQuick ? 3 : 5),
    seconds: positive('seconds', values.seconds, isQuick ? 1 : usualSeconds),
    connections: positive('connections', values.connections, 64),
    coldTokens: positive('cold-tokens', values['cold-tokens'], isQuick ? 12_000 : 15_000),
    only: (values.only ?? '')
      .split(',')
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== ''),
    profile: values.profile,
  }
}

/** @throws {Error} naming the option, unless it is a whole number above zero */
export function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${name} expects a whole number above zero, found "${text}"`)
}
