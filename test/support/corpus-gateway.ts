/** A gateway before a recording upstream, and keys for many clients that never get in each other's way. */
import { createHash } from 'node:crypto'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startRecordingUpstream, type RecordingUpstream } from '../harness/recording-upstream.ts'

export type Plane = 'node' | 'wire'
export const planes: readonly Plane[] = ['wire', 'node']

export interface CorpusGateway {
  readonly plane: Plane
  readonly gateway: TestGateway
  readonly recorder: RecordingUpstream
  stop(): Promise<void>
}

export interface Lane {
  /** The key's owner, as the upstream hears of it. */
  readonly subject: string
  readonly key: string
  readonly victim: string
  readonly victimKey: string
}

const count = 32

/** As long as the key of the corpus, so that lengths and positions stay; no changed byte makes one into another. */
export const lanes: readonly Lane[] = Array.from({ length: count }, (_, index) => {
  const number = String(index + 1).padStart(2, '0')
  return {
    subject: `lane-${number}`,
    key: `corpus-${digest(`lane-${number}`)}`,
    victim: `victim-${number}`,
    victimKey: `victim-${digest(`victim-${number}`)}`,
  }
})

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6)
}

export interface CorpusGatewayOptions {
  /** Where requests go instead of to the recorder. */
  readonly upstreamPort?: number
  readonly recorder?: RecordingUpstream
  /** More of the configuration. */
  readonly more?: string
  readonly limits?: string
}

export async function startCorpusGateway(
  plane: Plane,
  options: CorpusGatewayOptions = {},
): Promise<CorpusGateway> {
  const recorder = options.recorder ?? (await startRecordingUpstream())
  const limits = options.limits ?? 'body: 1MiB, headersTimeout: 6s, requestTimeout: 6s'
  const gateway = await startTestGateway(`
version: 1
dataPlane: ${plane}
audit: off
lockout: off
limits: { ${limits} }
authenticators:
  keys: { type: api-key, prefix: ptc, in: [{ header: x-api-key }] }
upstreams:
  recorder: { targets: ["http://127.0.0.1:${options.upstreamPort ?? recorder.port}"], retries: { attempts: 0 } }
routes:
  - { id: all, match: { path: "/*" }, authenticate: [keys], upstream: recorder }
${options.more ?? ''}
`)
  await gateway.gateway.keys.import(
    lanes.flatMap((lane) => [
      { key: lane.key, owner: lane.subject },
      { key: lane.victimKey, owner: lane.victim },
    ]),
    'test',
  )
  return {
    plane,
    gateway,
    recorder,
    async stop() {
      await gateway.stop()
      await recorder.close()
    },
  }
}
