import { found, type OnlineFinding } from './findings.ts'

/** One exchange: milliseconds since the epoch when the question left and the answer was there. */
export interface Exchange {
  readonly askedAt: number
  readonly answeredAt: number
  /** The answer's `Date` field. */
  readonly date: string | undefined
}

/**
 * `Date` has whole seconds and was written somewhere between question and answer: only a difference beyond all of that
 * counts. An answer out of a cache is as old as its `Age`, so only a fresh one may be asked about.
 * @param skew milliseconds, the provider's `clockSkew`
 */
export function judgeClock(name: string, exchange: Exchange, skew: number): OnlineFinding[] {
  const theirs = Date.parse(exchange.date ?? '')
  if (Number.isNaN(theirs)) return []
  const ahead = theirs - exchange.answeredAt
  const behind = exchange.askedAt - (theirs + 1_000)
  const difference = Math.max(ahead, behind)
  if (difference <= skew / 2) return []
  const seconds = Math.round(difference / 1_000)
  return [
    found(
      'provider-clock',
      { name },
      `its clock is ${seconds} s ${ahead > behind ? 'ahead of' : 'behind'} this machine's, and ${skew / 1_000} s are allowed for`,
      difference > skew ? 'error' : 'warning',
    ),
  ]
}
