/** Small forms that the proof shares. */
import type { Authentication } from './authenticate.ts'
import type { Absent } from './outcome.ts'

/** `instanceof` also narrows, but not for unions of generics. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise
}

/** What counted as not sent is told beside the answer, whatever that is: its cookie is cleared, and the log says why. */
export function withAbsent(answer: Authentication, absent: Absent | undefined): Authentication {
  return absent === undefined ? answer : { ...answer, absent }
}
