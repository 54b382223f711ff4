// What all targets are: a process on the gateway's core that passes requests on to the one upstream.
import type { Issuer } from '../credentials.ts'
import type { Processes, Running } from '../processes.ts'

/** The place in which targets run. */
export interface Stage {
  readonly folder: string
  readonly processes: Processes
  readonly gatewayCore: number
  readonly loadCore: number
  readonly issuer: Issuer
  /** `http://127.0.0.1:port` of the upstream. */
  readonly upstream: string
}

/** A target that accepts connections. */
export interface RunningTarget {
  readonly process: Running
  readonly url: string
  /** Where it tells how often it knew a token already, if it does. */
  readonly metricsUrl?: string
}

/** What every request asks for. */
export const requestPath = '/catalog/items?page=2&limit=50'

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
