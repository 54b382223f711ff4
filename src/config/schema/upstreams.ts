/** Upstreams: the services behind the gateway. */
import { z } from 'zod'
import type { HealthSettings } from '../../configuration.ts'
import { hashKey, path, requestTarget, text } from '../scalars/names.ts'
import { target } from '../scalars/network.ts'
import { timeout } from '../scalars/quantities.ts'
import { Unreadable, type Scalar } from '../scalars/scalar.ts'
import { integer, list, oneOrMany, word } from './word.ts'

export interface ParsedUpstream {
  readonly targets: readonly { readonly url: string; readonly weight: number }[]
  readonly protocol: 'http1' | 'h2' | 'h2c'
  readonly balance: 'round-robin' | 'least-requests' | 'hash'
  readonly hashOn?: string
  readonly timeouts: { readonly connect: number; readonly response: number }
  readonly retries: { readonly attempts: number }
  readonly health?: HealthSettings
  readonly tls?: {
    readonly ca?: string
    readonly certificate?: string
    readonly key?: string
    readonly serverName?: string
  }
}

type StatusRange = HealthSettings['status'][number]

/** `200`, or `200-399`. */
export const statusRange: Scalar<StatusRange> = {
  title: 'status or range',
  expected: 'a status or a range of them, such as 200 or 200-399',
  pattern: /^[1-5]\d\d(-[1-5]\d\d)?$/,
  read(found) {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(found)
    if (match === null) return new Unreadable()
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    return from <= to ? { from, to } : new Unreadable('the range ends before it begins')
  },
}

const targetText = `${target.expected}; or { url: …, weight: … }`

const oneTarget: z.ZodType<{ url: string; weight: number }> = z
  .union(
    [
      word(target),
      z.strictObject({
        url: word(target).describe('Scheme, host and port.'),
        weight: integer(1, 1000).prefault(1).describe('Its share of the requests, relative to the others.'),
      }),
    ],
    { error: targetText },
  )
  .transform((value) => (typeof value === 'string' ? { url: value, weight: 1 } : value))

const count = integer(1, 100)

const status: z.ZodType<StatusRange> = z.union(
  [
    word(statusRange),
    z
      .int()
      .min(100)
      .max(599)
      .transform((value) => ({ from: value, to: value })),
  ],
  { error: statusRange.expected },
)

const health: z.ZodType<HealthSettings> = z
  .strictObject({
    path: word(requestTarget).describe('What is asked for.'),
    interval: word(timeout).prefault('5s').describe('How often.'),
    timeout: word(timeout).prefault('2s').describe('How long an answer may take.'),
    healthy: count.prefault(1).describe('How many good answers in a row bring a target back.'),
    unhealthy: count.prefault(3).describe('How many bad ones take it out.'),
    status: oneOrMany(status, `${statusRange.expected}; or a list of them`)
      .prefault('200-399')
      .describe('Which answers are good.'),
  })
  .describe('Active health checks; none unless written.')

export const upstreamSchema: z.ZodType<ParsedUpstream> = z.strictObject({
  targets: list(oneTarget, 'a list of addresses').describe(
    'Where the service is: URLs, or `{ url, weight }`. Names are resolved again by their TTL.',
  ),
  protocol: z.enum(['http1', 'h2', 'h2c']).prefault('http1').describe('How it is spoken to.'),
  balance: z
    .enum(['round-robin', 'least-requests', 'hash'])
    .prefault('round-robin')
    .describe('Which target takes a request.'),
  hashOn: word(hashKey).exactOptional().describe('With `balance: hash`: what stays on one target.'),
  timeouts: z
    .strictObject({
      connect: word(timeout).prefault('2s').describe('How long a connection may take.'),
      response: word(timeout).prefault('30s').describe('How long the head of the answer may take.'),
    })
    .prefault({})
    .describe('How long the service may take.'),
  retries: z
    .strictObject({
      attempts: integer(0, 10)
        .prefault(1)
        .describe(
          'Extra tries. Only idempotent methods, failed connections and 502, 503, 504, and never once a body was sent.',
        ),
    })
    .prefault({})
    .describe('What happens after a failure.'),
  health: health.exactOptional(),
  tls: z
    .strictObject({
      ca: word(path)
        .exactOptional()
        .describe("PEM file with the authorities of the service's certificate; the system's, where absent."),
      certificate: word(path)
        .exactOptional()
        .describe('PEM file with the certificate that the gateway shows.'),
      key: word(path).exactOptional().describe('PEM file with its private key.'),
      serverName: word(text).exactOptional().describe("The name that the service's certificate must be for."),
    })
    .exactOptional()
    .describe('TLS towards `https://` targets. Certificates are always verified.'),
})
