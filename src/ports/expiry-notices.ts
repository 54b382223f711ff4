import type { ApiKeyRecord } from './api-keys.ts'

/** How many days before its end a key is told of. */
export const noticeDays = [14, 7, 1] as const
export type NoticeDays = (typeof noticeDays)[number]

/** Remembers which keys' coming end was told already, so that a restart or a second process does not tell it again. */
export interface ExpiryNotices {
  /**
   * One atomic step: picks keys that end within `days` of `now`, were told of no such or nearer end yet, and are neither
   * revoked nor rotated, and marks them as told. An empty list means that all are told.
   */
  claim(due: {
    readonly days: NoticeDays
    readonly now: number
    readonly limit: number
  }): Promise<readonly ApiKeyRecord[]>
  /** Takes claims back, when the notices could not be given. */
  release(ids: readonly string[]): Promise<void>
}
