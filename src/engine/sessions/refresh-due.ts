import type { SessionContent } from './content.ts'

/** The most that a token is refreshed ahead of its end, in milliseconds; of short ones it is the last fifth. */
const mostAhead = 60_000

/** @returns when the access token should be renewed, in milliseconds since the epoch; undefined where it cannot or need not be */
export function refreshDue({
  refreshToken,
  accessExpiresAt,
  accessLifetime = 0,
}: SessionContent): number | undefined {
  if (refreshToken === undefined || accessExpiresAt === undefined) return undefined
  return accessExpiresAt - Math.min(mostAhead, accessLifetime / 5)
}
