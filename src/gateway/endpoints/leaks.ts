/**
 * `/.portcullis/leaks/github`: where GitHub reports keys that were found in public. Nobody who cannot sign as GitHub learns
 * anything here: no key is looked for, and nothing is parsed, before the signature held.
 */
import { readFileSync } from 'node:fs'
import type { LeakSettings, Configuration } from '../../configuration.ts'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { Reason } from '../../engine/errors.ts'
import type { GatewayRequest } from '../../engine/request.ts'
import { createLeakDesk, type LeakDesk } from '../../keys/leaks/desk.ts'
import { largestReport, parseReport } from '../../keys/leaks/report.ts'
import {
  judgeReport,
  readReportKey,
  type ReportKey,
  type ReportSignature,
  type ReportVerdict,
} from '../../keys/leaks/signature.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { Foundation } from '../services.ts'
import { readBody } from './body.ts'
import type { EndpointAnswer, OwnEndpoint } from './endpoint.ts'

/** @returns the endpoint; none where no key of GitHub's is configured */
export function githubLeaks(configuration: Configuration, foundation: Foundation): readonly OwnEndpoint[] {
  const { github } = configuration.leaks ?? {}
  if (github === undefined) return []
  const keys = readKeys(github)
  const desk = openDesk(configuration, foundation)
  return [
    {
      matches: (path) => path === '/.portcullis/leaks/github',
      methods: ['POST'],
      answer: async (exchange) => {
        const answer = await receive(exchange, keys, desk)
        const outcome = answer !== undefined && 'code' in answer ? 'refused' : 'taken'
        foundation.services.metrics.leakReport(outcome)
        return answer
      },
    },
  ]
}

function readKeys({ keys }: NonNullable<LeakSettings['github']>): readonly ReportKey[] {
  return keys.flatMap(({ id, pem, file }) => {
    const key = readReportKey(pem ?? readFileSync(file ?? '', 'utf8'))
    // Validation told of it; a file that broke since must not stop a reload of the rest.
    return key === undefined ? [] : [{ id, key }]
  })
}

function openDesk(configuration: Configuration, { services, store, usage }: Foundation): LeakDesk {
  const { audit, clock, log, metrics } = services
  return createLeakDesk({
    store: store.apiKeys,
    audit,
    clock,
    configuration: () => configuration,
    flushUses: () => usage.flush(),
    onFound: (leak) => {
      metrics.leakedKey(leak.action)
      log.warn(leak, 'an API key was found in public')
    },
  })
}

async function receive(
  exchange: ExchangeState,
  keys: readonly ReportKey[],
  desk: LeakDesk,
): Promise<EndpointAnswer> {
  const { request, snapshot } = exchange
  const wait = snapshot.guard.admit(request.clientIp)
  if (wait > 0) return refuse('lockout', { retryAfter: wait })
  const signature = signatureOf(request)
  // What cannot be GitHub's is not worth its body.
  if (signature.id === undefined || signature.signature === undefined) return refused('unsigned')
  if (keys.every(({ id }) => id !== signature.id)) return refused('unknown_key')
  const body = await readBody(exchange, largestReport)
  const verdict = judgeReport(body, signature, keys)
  if (verdict === 'forged') snapshot.guard.failed(request.clientIp, signature.signature)
  if (verdict !== 'good') return refused(verdict)
  const matches = parseReport(body)
  if (matches === undefined) return refuse('leak_report_malformed')
  try {
    const by = { name: 'github', clientIp: request.clientIp, requestId: exchange.id }
    return {
      status: 200,
      fields: ['Content-Type', 'application/json', 'Cache-Control', 'no-store'],
      body: JSON.stringify(await desk.report(matches, by)),
    }
  } catch (error) {
    // GitHub sends a report again that was not taken.
    snapshot.services.log.error({ err: error, requestId: exchange.id }, 'a leak report could not be taken')
    return refuse('dependency_unavailable', { retryAfter: 5 })
  }
}

function signatureOf(request: GatewayRequest): ReportSignature {
  const once = (name: string): string | undefined =>
    request.count(name) === 1 ? request.header(name) : undefined
  return { id: once('github-public-key-identifier'), signature: once('github-public-key-signature') }
}

const reasons: Readonly<Record<Exclude<ReportVerdict, 'good'>, Reason>> = {
  unsigned: 'leak_report_unsigned',
  unknown_key: 'leak_report_key_unknown',
  forged: 'leak_report_forged',
}

function refused(verdict: Exclude<ReportVerdict, 'good'>): Refusal {
  return refuse(reasons[verdict], { challenges: ['Signature realm="portcullis"'] })
}
