/** A raw upstream, the room under test and a listener, for one test. */
import type { TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { UpstreamSettings } from '../../src/configuration.ts'
import { createUpstream, type Upstream, type UpstreamDeps } from '../../src/upstream/upstream.ts'
import { defaultPlane } from '../listener.ts'
import { startForwardingServer, type ForwardingOptions, type ForwardingServer } from './forwarding-server.ts'
import { startRawUpstream, type RawConnection, type RawUpstream } from './raw-upstream.ts'

export interface UpstreamSetup {
  readonly server: ForwardingServer
  readonly upstream: Upstream
}

export interface SetupOptions extends ForwardingOptions {
  readonly settings?: Partial<UpstreamSettings>
  readonly deps?: Partial<UpstreamDeps>
}

export function upstreamSettings(
  urls: readonly string[],
  others: Partial<UpstreamSettings> = {},
): UpstreamSettings {
  return {
    name: 'catalog',
    targets: urls.map((url) => ({ url, weight: 1 })),
    protocol: 'http1',
    balance: 'round-robin',
    timeouts: { connect: 1_000, response: 2_000 },
    retries: { attempts: 1 },
    ...others,
  }
}

/** An upstream with these targets behind a listener, closed when the test is over. */
export async function setUpTargets(
  urls: readonly string[],
  { settings, deps, ...options }: SetupOptions = {},
): Promise<UpstreamSetup> {
  const upstream = createUpstream(upstreamSettings(urls, settings), {
    clock: { now: () => Date.now() },
    dataPlane: defaultPlane(),
    ...deps,
  })
  const server = await startForwardingServer(upstream, options)
  onTestFinished(async () => {
    upstream.destroy()
    await server.close()
  })
  return { server, upstream }
}

/** A raw upstream, closed when the test is over. */
export async function setUpRaw(
  behave: (connection: RawConnection, index: number) => Promise<void> | void,
  tls?: TlsOptions,
): Promise<RawUpstream> {
  const raw = await startRawUpstream(behave, tls)
  onTestFinished(() => raw.close())
  return raw
}

/** One raw upstream and a listener in front of it. */
export async function setUp(
  behave: (connection: RawConnection, index: number) => Promise<void> | void,
  options: SetupOptions = {},
): Promise<UpstreamSetup & { readonly raw: RawUpstream }> {
  const raw = await setUpRaw(behave)
  return { raw, ...(await setUpTargets([raw.url], options)) }
}
