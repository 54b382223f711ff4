/** GitHub's report as it comes: a JSON list of matches. */
import { z } from 'zod'

/** One match. */
export interface LeakMatch {
  /** The secret that was found. */
  readonly token: string
  /** The name that GitHub and we agreed on for keys of this form. */
  readonly type: string
  /** Where it was found; may be empty. */
  readonly url: string
  /** In what it was found: `content`, `commit`, … */
  readonly source: string
}

/** Bytes of a whole report. */
export const largestReport: number = 1024 * 1024
/** One message may tell of many; more than that is no report of one push. */
const mostMatches = 1_000

const text = z.string().max(8_192)
const reportSchema = z
  .array(
    z.object({
      token: text.min(1),
      type: text.min(1),
      // These two only tell more; GitHub may leave them empty, and adds members as it likes.
      url: text.nullish().transform((value) => value ?? ''),
      source: text.nullish().transform((value) => value ?? ''),
    }),
  )
  .max(mostMatches)

/** @returns the matches, or undefined when the body is no report */
export function parseReport(body: Uint8Array): readonly LeakMatch[] | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    const result = reportSchema.safeParse(parsed)
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}
