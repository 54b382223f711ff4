/** Active health: asks each target on a schedule whether it serves. The answer decides whether it takes part at all. */
import type { HealthSettings } from '../configuration.ts'
import type { RequestFacts } from './connection.ts'
import type { Target, TargetHealth } from './target.ts'

export interface HealthDeps {
  readonly onHealth: (target: Target, state: TargetHealth) => void
  /** 0 ≤ n < 1; spreads the checks of many gateways and targets. */
  readonly random: () => number
}

/** Share of the interval by which a check may come earlier or later. */
const jitter = 0.1

/** Checks at once and then on schedule. @returns what ends it */
export function startHealthChecks(
  targets: readonly Target[],
  settings: HealthSettings,
  deps: HealthDeps,
): () => void {
  const stops = targets.map((target) => watchTarget(target, settings, deps))
  return () => {
    for (const stop of stops) {
      stop()
    }
  }
}

function watchTarget(target: Target, settings: HealthSettings, deps: HealthDeps): () => void {
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  let successes = 0
  let failures = 0

  const check = async (): Promise<void> => {
    const failure = await probe(target, settings)
    if (isStopped) {
      return
    }
    successes = failure === undefined ? successes + 1 : 0
    failures = failure === undefined ? 0 : failures + 1
    target.lastFailure = failure
    if (!target.isUp && successes >= settings.healthy) {
      target.isUp = true
      // What connections told before is out of date.
      target.succeeded()
      deps.onHealth(target, target.health)
    } else if (target.isUp && failures >= settings.unhealthy) {
      target.isUp = false
      deps.onHealth(target, 'unhealthy')
    }
    schedule(settings.interval * (1 + jitter * (2 * deps.random() - 1)))
  }
  const schedule = (delay: number): void => {
    timer = setTimeout(() => void check(), delay).unref()
  }

  schedule(0)
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}

/** @returns undefined when the target serves, else why it does not */
async function probe(target: Target, settings: HealthSettings): Promise<string | undefined> {
  const deadline = Promise.withResolvers<string>()
  const timer = setTimeout(
    () => deadline.resolve(`no answer within ${settings.timeout} ms`),
    settings.timeout,
  )
  timer.unref()
  try {
    return await Promise.race([ask(target, settings, deadline.promise), deadline.promise])
  } catch (error) {
    return (error as Error).message
  } finally {
    clearTimeout(timer)
  }
}

/** A connection for each check, as a client that comes anew would need one. */
async function ask(
  target: Target,
  settings: HealthSettings,
  deadline: Promise<string>,
): Promise<string | undefined> {
  const connection = await target.connectAlone()
  void deadline.then(() => connection.destroy())
  const request: RequestFacts = {
    method: 'GET',
    target: settings.path,
    host: target.address.authority,
    fields: ['User-Agent', 'portcullis-health', 'Accept', '*/*'],
    body: 'none',
    isUpgrade: false,
  }
  const result = Promise.withResolvers<string | undefined>()
  connection.send(request, {
    sent() {},
    interim() {},
    head({ status }) {
      connection.destroy()
      const isFine = settings.status.some(({ from, to }) => status >= from && status <= to)
      result.resolve(isFine ? undefined : `status ${status}`)
    },
    data() {},
    flush() {},
    end() {},
    upgraded() {},
    failed(fault) {
      result.resolve(fault.detail)
    },
  })
  return result.promise
}
