/** The secrets of one client while they are rotated: which is tried, which works, and when an old one last did. */
import type { Clock } from '../ports/clock.ts'
import type { Secret } from '../engine/secret.ts'

export interface ClientSecrets {
  /** In the order to try them: first the one that worked last, at times the newest. */
  candidates(): readonly Candidate[]
  /** The provider took this one. */
  worked(candidate: Candidate): void
  report(): SecretReport
}

/** `position` counts from 0, the newest. */
export interface Candidate {
  readonly secret: Secret
  readonly position: number
}

/** For the log and the metrics. Times are milliseconds since the epoch. */
export interface SecretReport {
  readonly count: number
  /** Which one the provider took last; undefined before any did. */
  readonly working: number | undefined
  /** When one that is not the newest was last taken: once this stands still, the old ones can be withdrawn. */
  readonly oldUsedAt: number | undefined
}

/** While an old one works, the newest is tried again this often: the provider may have learnt it meanwhile. */
const tryNewestEvery = 60_000

/** @param onWork told when another secret begins to work than before, the first time too, and each time that an old one does */
export function createClientSecrets(
  secrets: readonly Secret[],
  clock: Clock,
  onWork: (report: SecretReport) => void = () => undefined,
): ClientSecrets {
  const all = secrets.map((secret, position): Candidate => ({ secret, position }))
  let working: number | undefined
  let oldUsedAt: number | undefined
  let newestTriedAt = -Infinity
  const report = (): SecretReport => ({ count: all.length, working, oldUsedAt })
  return {
    candidates() {
      const now = clock.now()
      const isNewestDue = working === undefined || working === 0 || now - newestTriedAt >= tryNewestEvery
      if (isNewestDue) newestTriedAt = now
      const first = isNewestDue ? 0 : working!
      return [
        ...all.filter(({ position }) => position === first),
        ...all.filter((each) => each.position !== first),
      ]
    },
    worked({ position }) {
      if (position > 0) oldUsedAt = clock.now()
      if (position === working && position === 0) return
      working = position
      onWork(report())
    },
    report,
  }
}
