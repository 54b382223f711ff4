/**
 * The arithmetic of one rate-limit bucket (generic cell rate algorithm), told as a debt: the milliseconds until the bucket is full
 * again. A token adds `emission` to it, time takes it away, and it never exceeds what the whole bucket is worth. Kept relative, since
 * the theoretical arrival time of the textbooks, near 1.8e12, leaves a double too few digits for a million tokens a second.
 */
import type { Bucket, Taken } from '../ports/counters.ts'

/** A rounding error must not cost anybody their last token; nobody gains by a millionth of one. */
const tolerance = 1e-6

/** @returns what is left at `now` of a debt as it stood at `at`; a clock that went back takes nothing away and adds nothing */
export function debtAt(debt: number, at: number, now: number): number {
  return now <= at ? debt : Math.max(0, debt - (now - at))
}

/** @returns what taking one token from a bucket with this debt comes to; when allowed, `reset` is the new debt */
export function takeToken({ capacity, emission }: Bucket, debt: number): Taken {
  const left = capacity - debt / emission
  if (left + tolerance < 1) {
    return { allowed: false, remaining: 0, retryAfter: (1 - left) * emission, reset: debt }
  }
  return {
    allowed: true,
    remaining: Math.max(0, Math.floor(left - 1 + tolerance)),
    retryAfter: 0,
    reset: debt + emission,
  }
}
