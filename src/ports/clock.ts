/** The only source of time. Injected everywhere, so that tests and `at:` fixtures can set it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}
