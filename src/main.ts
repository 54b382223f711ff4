/**
 * The composition root: configuration → store, audit log, snapshot → admin and listeners; reload; drain.
 * Everything that runs is started here and stopped here.
 */
import type { LoadedConfiguration } from './config/load.ts'
import type { Configuration } from './configuration.ts'
import { build, cut, retire, type Built } from './gateway/build.ts'
import { startAdminServer, type RunningAdmin } from './gateway/admin.ts'
import { openListener, type OpenListener } from './gateway/listeners.ts'
import { createReloader } from './gateway/reload.ts'
import { openFoundation, type Foundation } from './gateway/services.ts'
import { warnOfRuntime } from './gateway/runtime-warning.ts'
import type { KeyManager } from './keys/manager.ts'
import type { RevocationManager } from './keys/revocations.ts'
import { createLog, type Log } from './telemetry/log.ts'
import type { Clock } from './ports/clock.ts'

export interface GatewayOptions {
  readonly loaded: LoadedConfiguration
  readonly env: NodeJS.ProcessEnv
  /** Reload when the configuration, or a file that it names, changes on disk. */
  readonly watch: boolean
  readonly log?: Log
  readonly clock?: Clock
}

export interface RunningGateway {
  readonly listenerUrls: readonly string[]
  readonly adminUrl: string
  /** What a person should know of the admin address: why it has no API, where that is so. */
  readonly adminNote: string
  readonly keys: KeyManager
  readonly revocations: RevocationManager
  /** Reads the configuration again. Resolves to false when it has faults: the running one stays. */
  reload(): Promise<boolean>
  /** Drains and ends: nothing in flight is lost within `drainTimeout`. */
  stop(): Promise<void>
}

const systemClock: Clock = { now: () => Date.now() }

export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { loaded, env } = options
  const clock = options.clock ?? systemClock
  const level = env['PORTCULLIS_LOG_LEVEL']
  const log = options.log ?? createLog(level === undefined ? {} : { level })
  warnOfRuntime(log)
  let state: 'starting' | 'ready' | 'draining' = 'starting'
  let built: Built | undefined
  const first: Configuration = loaded.configuration
  const foundation: Foundation = await openFoundation({
    configuration: first,
    configurationHash: () => built?.snapshot.configuration.hash ?? first.hash,
    env,
    log,
    clock,
    readiness: () => state,
  })
  const listeners: OpenListener[] = []
  let admin: RunningAdmin | undefined
  try {
    built = build(first, foundation)
    const current = (): Built => built!
    foundation.services.metrics.registry.onScrape(() => countTargets(current(), foundation))
    await foundation.audit.record(configurationEvent('start', first, clock))
    admin = await startAdminServer(foundation, current)
    for (const settings of first.listeners)
      listeners.push(await openListener(settings, () => current().snapshot, foundation.certificates))
    state = 'ready'
    log.info(
      { listeners: listeners.map(({ url }) => url), admin: admin.url, configuration: first.hash },
      'listening',
    )

    const reloader = createReloader({
      loaded,
      env,
      log,
      watch: options.watch,
      metrics: foundation.services.metrics,
      refused: (faults) => foundation.audit.record(reloadRefusal(faults, clock)),
      apply: async (next) => {
        const before = current()
        const after = build(next, foundation, before)
        foundation.assertionKeys.reschedule(next.assertion)
        built = after
        await foundation.audit.record(configurationEvent('reload', next, clock))
        for (const { running, settings } of listeners) {
          if (settings.tls === undefined) continue
          const result = await running.reloadTls()
          if (!result.isReloaded)
            log.error(
              { listener: settings.host, detail: result.detail },
              'the certificate was not reloaded: the old one stays',
            )
        }
        void retire(before, after).catch((error: unknown) =>
          log.error({ err: error }, 'a retired part failed to close'),
        )
      },
    })

    let stopping: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      state = 'draining'
      reloader.close()
      const { drainDelay, drainTimeout } = current().snapshot.configuration
      log.info({ drainDelay, drainTimeout }, 'draining')
      for (const { running } of listeners) running.beginDrain()
      await wait(drainDelay)
      await Promise.all(listeners.map(({ running }) => running.closed(drainTimeout)))
      cut(current())
      await retire(current(), undefined)
      await foundation.audit.record(configurationEvent('stop', current().snapshot.configuration, clock))
      await admin?.close()
      await foundation.close()
      log.info({}, 'stopped')
    }
    return {
      listenerUrls: listeners.map(({ url }) => url),
      adminUrl: admin.url,
      adminNote: admin.note,
      keys: admin.keys,
      revocations: admin.revocations,
      reload: () => reloader.reload(),
      stop: () => (stopping ??= stop()),
    }
  } catch (error) {
    for (const { running } of listeners) await running.closed(0)
    await admin?.close()
    if (built !== undefined) await retire(built, undefined)
    await foundation.close()
    throw error
  }
}

function configurationEvent(
  change: string,
  configuration: Configuration,
  clock: Clock,
): Parameters<Foundation['audit']['record']>[0] {
  return {
    time: clock.now(),
    type: 'configuration',
    outcome: 'record',
    data: { change, hash: configuration.hash, routes: configuration.routes.length },
  }
}

function countTargets({ snapshot }: Built, { services }: Foundation): void {
  for (const [name, upstream] of snapshot.upstreams) {
    for (const { url, health } of upstream.state().targets)
      services.metrics.targetHealth(name, url, health === 'healthy')
  }
}

function reloadRefusal(faults: number, clock: Clock): Parameters<Foundation['audit']['record']>[0] {
  return {
    time: clock.now(),
    type: 'configuration',
    outcome: 'refuse',
    reason: 'invalid_configuration',
    data: { change: 'reload', faults },
  }
}

function wait(milliseconds: number): Promise<void> {
  return milliseconds === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, milliseconds))
}
