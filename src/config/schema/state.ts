/** What the gateway keeps and writes: stores, outages, audit, assertions. */
import { z } from 'zod'
import { path } from '../scalars/names.ts'
import { address } from '../scalars/network.ts'
import { positiveDuration, size } from '../scalars/quantities.ts'
import { flag, word } from './word.ts'

export interface ParsedAudit {
  readonly mode: 'relaxed' | 'strict'
  readonly directory: string
  readonly key: string
  readonly index: boolean
  readonly retain: { readonly size: number; readonly age: number }
  readonly sinks: readonly unknown[]
}

export interface ParsedOutage {
  readonly revocations: { readonly maxStale: number; readonly then: 'refuse' | 'allow' }
}

export interface ParsedAssertion {
  readonly lifetime: number
  readonly rotateEvery: number
  readonly perRequest: boolean
}

const storeUrl = 'sqlite: and a file, such as sqlite:./portcullis.db (a later version takes postgres://… too)'
const sharedUrl = '`memory:`, with the colon (a later version takes redis://… too)'

export const storeSchema: z.ZodType<{ url: string }> = z.strictObject({
  url: z
    .string({ error: storeUrl })
    .regex(/^(sqlite:|postgres(ql)?:\/\/)./, { error: storeUrl })
    .prefault('sqlite:./portcullis.db')
    .describe('Where keys, revocations and sessions live. The SQLite file is made on the first start.'),
})

export const sharedSchema: z.ZodType = z.strictObject({
  url: z
    .string({ error: sharedUrl })
    .regex(/^(memory:$|rediss?:\/\/.)/, { error: sharedUrl })
    .prefault('memory:')
    .describe(
      'What replicas share: counters, replay cache, change notices. `memory:` is one memory over all workers.',
    ),
  sessions: z.enum(['store', 'shared']).prefault('store').describe('Where browser sessions live.'),
})

const outage = z.enum(['refuse', 'local', 'allow'])

export const outageSchema: z.ZodType<ParsedOutage> = z.strictObject({
  revocations: z
    .strictObject({
      maxStale: word(positiveDuration)
        .prefault('60s')
        .describe('How old the known revocations may be while their store is away.'),
      // oxlint-disable-next-line unicorn/no-thenable -- the word of the contract; it is never a function
      then: z
        .enum(['refuse', 'allow'])
        .prefault('refuse')
        .describe('What happens beyond it: `refuse` answers 503, `allow` goes on without news.'),
    })
    .prefault({})
    .describe('While the store of revocations is away.'),
  sessions: outage.prefault('refuse').describe('While the store of sessions is away.'),
  replay: outage.prefault('refuse').describe('While the replay cache is away.'),
  counters: outage
    .prefault('local')
    .describe("While shared counters are away: `local` counts this replica's share."),
})

const sinks = '`stdout`, or in a later version { type: syslog, … } or { type: otlp, … }'

const sink = z.union(
  [
    z.enum(['stdout', 'syslog', 'otlp']),
    z.strictObject({
      type: z.literal('syslog').describe('A syslog server.'),
      address: word(address).exactOptional().describe('Where the syslog server listens.'),
      protocol: z.enum(['udp', 'tcp', 'tls']).exactOptional().describe('How it is spoken to.'),
    }),
    z.strictObject({
      type: z.literal('otlp').describe('An OpenTelemetry collector.'),
      url: z.string().exactOptional().describe('Where the collector listens.'),
    }),
  ],
  { error: sinks },
)

export const auditSchema: z.ZodType<ParsedAudit | 'off'> = z.union(
  [
    z.literal('off'),
    z.strictObject({
      mode: z
        .enum(['relaxed', 'strict'])
        .prefault('relaxed')
        .describe(
          '`relaxed`: written in batches within 100 ms. `strict`: no request passes before its event is on disk.',
        ),
      directory: word(path).prefault('./audit').describe('The folder of the log.'),
      key: word(path)
        .prefault('./audit.key')
        .describe('The Ed25519 private key (PEM) that signs checkpoints. Made on the first start.'),
      index: flag.prefault(true).describe('Keep an index beside the log, so that searching it is quick.'),
      retain: z
        .strictObject({
          size: word(size).prefault('10GiB').describe('How large the log may grow.'),
          age: word(positiveDuration).prefault('400d').describe('How old its events may become.'),
        })
        .prefault({})
        .describe('What is kept; older segments are dropped whole, and that is recorded.'),
      sinks: z
        .array(sink, { error: `a list of: ${sinks}` })
        .prefault([])
        .describe('Where events go besides.'),
    }),
  ],
  { error: 'the settings of the audit log, or the word `off`' },
)

export const assertionSchema: z.ZodType<ParsedAssertion> = z.strictObject({
  lifetime: word(positiveDuration)
    .prefault('60s')
    .describe('How long an assertion is good; never longer than the credential.'),
  rotateEvery: word(positiveDuration).prefault('30d').describe('How often the signing key changes.'),
  perRequest: flag
    .prefault(false)
    .describe('A new assertion for every request, with `jti` and the request id (`rid`).'),
})
