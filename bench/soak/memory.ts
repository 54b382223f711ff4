// The gateway's memory over time, and whether it stays where it is.
import { readdirSync } from 'node:fs'
import { residentBytes } from '../cpu.ts'
import { median } from '../statistics.ts'

/** One look at a process. */
export interface Sample {
  readonly residentBytes: number
  readonly openFiles: number
}

/** The course of a run. */
export interface Course {
  readonly start: Sample
  readonly middle: Sample
  readonly end: Sample
  /** Whether the end is about where the middle was; caches fill in the first half, leaks go on in the second. */
  readonly isFlat: boolean
}

const allowedShare = 0.1
const allowedBytes = 32 * 1024 * 1024

export function takeSample(pid: number): Sample {
  return { residentBytes: residentBytes(pid), openFiles: readdirSync(`/proc/${pid}/fd`).length }
}

/** Medians of a tenth of the run each, since a single look may fall just before or after a garbage collection. */
export function describeCourse(samples: readonly Sample[]): Course {
  const tenth = Math.max(1, Math.floor(samples.length / 10))
  const centre = Math.floor(samples.length / 2)
  const start = summarise(samples.slice(0, 1))
  const middle = summarise(samples.slice(centre - Math.floor(tenth / 2), centre + Math.ceil(tenth / 2)))
  const end = summarise(samples.slice(-tenth))
  const allowed = Math.max(middle.residentBytes * allowedShare, allowedBytes)
  return { start, middle, end, isFlat: end.residentBytes - middle.residentBytes <= allowed }
}

function summarise(samples: readonly Sample[]): Sample {
  return {
    residentBytes: median(samples.map((sample) => sample.residentBytes)),
    openFiles: median(samples.map((sample) => sample.openFiles)),
  }
}
