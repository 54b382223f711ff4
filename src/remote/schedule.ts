/** Runs `task` once after `delay` milliseconds. Returns a function that calls it off. Injected, so that tests own time. */
export type Schedule = (delay: number, task: () => void) => () => void

/** Timers that do not keep the process alive. */
export const scheduleUnref: Schedule = (delay, task) => {
  const timer = setTimeout(task, delay)
  timer.unref()
  return () => clearTimeout(timer)
}

const longestRetry = 30_000

/**
 * Milliseconds until the next try after `failures` failed ones: 1 s doubling to 30 s, less up to a quarter so that
 * replicas do not come back in step.
 */
export function retryDelay(failures: number, random: () => number): number {
  const delay = Math.min(1_000 * 2 ** Math.min(failures - 1, 10), longestRetry)
  return delay * (1 - random() / 4)
}

/** Milliseconds until a set is fetched again: well before it stops being fresh, spread out between replicas. */
export function refreshDelay(freshFor: number, random: () => number): number {
  return freshFor * (0.75 + random() * 0.15)
}
