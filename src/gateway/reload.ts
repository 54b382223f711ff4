/** Reads the configuration again when asked or when it changed on disk; one with faults changes nothing and says why. */
import { formatFaults, loadConfiguration, type LoadedConfiguration } from '../config/load.ts'
import { watchConfiguration } from '../config/reload.ts'
import type { Configuration } from '../configuration.ts'
import type { GatewayMetrics } from '../telemetry/gateway-metrics.ts'
import type { Log } from '../telemetry/log.ts'
import { checksAcrossRooms } from './checks.ts'
import { fingerprintOf } from './keep.ts'

export interface Reloader {
  reload(): Promise<boolean>
  close(): void
}

export interface ReloaderOptions {
  readonly loaded: LoadedConfiguration
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly metrics: GatewayMetrics
  readonly watch: boolean
  readonly apply: (next: Configuration) => Promise<void>
  /** Records that a configuration with so many faults was refused. */
  readonly refused: (faults: number) => undefined | Promise<void>
}

/** Sections that are read once, at the start. */
const fixed = ['listeners', 'admin', 'store', 'audit'] as const

export function createReloader(options: ReloaderOptions): Reloader {
  const { log, metrics, env } = options
  const { file } = options.loaded
  let running = options.loaded.configuration
  let watching: AbortController | undefined
  let pending: Promise<boolean> = Promise.resolve(true)

  const watch = (files: readonly string[]): void => {
    watching?.abort()
    if (!options.watch) return
    watching = new AbortController()
    watchConfiguration({ file, files, signal: watching.signal, onChange: () => void reload() })
  }

  async function load(): Promise<boolean> {
    const result = await loadConfiguration(file, { env, extraChecks: [checksAcrossRooms] })
    if (!result.ok) {
      metrics.reload('refused')
      await options.refused(result.faults.length)
      log.error(
        { file, faults: formatFaults(result.faults) },
        'the changed configuration has faults: the running one stays',
      )
      // The file that would mend it may be one that only the faulty configuration names.
      watch([...options.loaded.files, ...result.files])
      return false
    }
    const next = result.configuration
    for (const section of fixed) {
      if (fingerprintOf(next[section]) !== fingerprintOf(running[section])) {
        log.warn({ section }, 'this section changed: it takes effect at the next start')
      }
    }
    await options.apply({
      ...next,
      listeners: running.listeners,
      admin: running.admin,
      store: running.store,
      audit: running.audit,
    })
    running = next
    metrics.reload('applied')
    log.info({ configuration: next.hash }, 'configuration reloaded')
    watch(result.files)
    return true
  }

  function reload(): Promise<boolean> {
    pending = pending.then(load).catch((error: unknown) => {
      metrics.reload('failed')
      log.error({ err: error }, 'the changed configuration could not be applied: the running one stays')
      return false
    })
    return pending
  }

  watch(options.loaded.files)
  return { reload, close: () => watching?.abort() }
}
