// What all targets are: a process on the gateway's core that passes requests on to the one upstream.
import type { Certificate } from '../../test/support/certificate.ts'
import type { Issuer } from '../credentials.ts'
import type { Processes, Running } from '../processes.ts'

/** The place in which targets run. */
export interface Stage {
  readonly folder: string
  readonly processes: Processes
  readonly gatewayCore: number
  readonly loadCore: number
  readonly issuer: Issuer
  /** What targets show that speak TLS. */
  readonly certificate: Certificate
  /** `http://127.0.0.1:port` of the upstream. */
  readonly upstream: string
  /** Goes before the arguments of Node.js, of targets that run on it. */
  readonly nodeOptions?: readonly string[]
}

/** A target that accepts connections. */
export interface RunningTarget {
  readonly process: Running
  readonly url: string
  /** Where it tells how often it knew a token already, if it does. */
  readonly metricsUrl?: string
}

/** Why a target cannot be measured here: something is not installed, or not built yet. Not a fault of the run. */
export class Unavailable extends Error {}

/** What every request asks for. */
export const requestPath = '/catalog/items?page=2&limit=50'

/** Where the upstream says what it was told of the caller. */
export const seenPath = '/catalog/seen'

/** What the upstream was told; empty where nothing. */
export interface Seen {
  readonly subject: string
  readonly assertion: string
  readonly authorization: string
  readonly key: string
}

/** What the upstream answers: about a kilobyte of JSON, without a quote that a configuration file would have to escape. */
export function upstreamBody(): string {
  const items = Array.from({ length: 11 }, (_, index) => ({
    id: String(index + 1),
    title: `Episode ${index + 1} of the benchmark`,
    kind: 'series',
    minutes: 40 + index,
  }))
  return JSON.stringify({ items })
}
