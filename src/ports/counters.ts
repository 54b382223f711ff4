/** One GCRA bucket's shape: `capacity` tokens that refill evenly over `period`. */
export interface Bucket {
  /** Tokens that may be taken at once: N + burst. */
  readonly capacity: number
  /** Milliseconds for one token to come back: period / N. */
  readonly emission: number
}

export interface Taken {
  readonly allowed: boolean
  /** Whole tokens left. */
  readonly remaining: number
  /** Milliseconds until a token can be taken; 0 when allowed. */
  readonly retryAfter: number
  /** Milliseconds until the bucket is full again. */
  readonly reset: number
}

export interface Counters {
  /** Takes one token, or says when one can be had: one atomic step. Refused takes cost nothing. */
  take(key: string, bucket: Bucket, now: number): Taken | Promise<Taken>
}
