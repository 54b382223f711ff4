/** A whole gateway in this process, from configuration text, in a folder of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatFaults, loadConfiguration } from '../../src/config/load.ts'
import { checksAcrossRooms } from '../../src/gateway/checks.ts'
import { startGateway, type RunningGateway } from '../../src/main.ts'
import { createLog } from '../../src/telemetry/log.ts'
import type { Clock } from '../../src/ports/clock.ts'

export interface TestGateway extends AsyncDisposable {
  readonly gateway: RunningGateway
  readonly url: string
  readonly host: string
  readonly port: number
  readonly folder: string
  readonly file: string
  /** Log lines so far. */
  readonly lines: readonly string[]
  /** Writes the file anew and reloads. */
  change(text: string): Promise<boolean>
  stop(): Promise<void>
}

export interface TestGatewayOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly clock?: Clock
  readonly watch?: boolean
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** Listeners and admin take free ports unless the text says otherwise. */
export async function startTestGateway(text: string, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'))
  const file = join(folder, 'portcullis.yaml')
  for (const [name, content] of Object.entries(options.files ?? {}))
    await writeFile(join(folder, name), content)
  await writeFile(file, withFreePorts(text))
  const env = options.env ?? {}
  const loaded = await loadConfiguration(file, { env, extraChecks: [checksAcrossRooms] })
  if (!loaded.ok) throw new Error(formatFaults(loaded.faults))
  const lines: string[] = []
  const gateway = await startGateway({
    loaded,
    env,
    watch: options.watch ?? false,
    log: createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  })
  const url = gateway.listenerUrls[0]!
  const { hostname, port } = new URL(url)
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopped ??= gateway.stop().then(() => rm(folder, { recursive: true, force: true })))
  return {
    gateway,
    url,
    host: hostname,
    port: Number(port),
    folder,
    file,
    lines,
    change: async (next) => {
      await writeFile(file, withFreePorts(next))
      return gateway.reload()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function withFreePorts(text: string): string {
  const listeners = /^listeners:/m.test(text) ? '' : 'listeners: [{ address: "127.0.0.1:0" }]\n'
  const admin = /^admin:/m.test(text) ? '' : 'admin: { address: "127.0.0.1:0" }\n'
  return `${text.trimEnd()}\n${listeners}${admin}`
}
