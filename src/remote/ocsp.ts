/** Posts questions to OCSP responders. They speak plain http: what they answer is signed. @see RFC 6960 appendix A */
import { Agent, request } from 'undici'
import type { OcspResponders } from '../ports/ocsp.ts'
import { isForbiddenAddress, literalAddress } from './address-guard.ts'
import { asFetchError, FetchError, named } from './fetch-error.ts'
import { guardedConnector, permittedUrl } from './guarded-connector.ts'
import { readAnswer } from './read-answer.ts'

const maxBytes = 64 * 1024
const connections = 8
const keepAlive = 4_000
const connectTimeout = 5_000

export interface OcspPoster extends OcspResponders {
  close(): void
}

export function createOcspPoster(): OcspPoster {
  // Plain http is permitted; addresses that names resolve to are still guarded.
  const agent = new Agent({
    connect: guardedConnector({ allowInsecure: true }, connectTimeout),
    allowH2: false,
    connections,
    pipelining: 1,
    keepAliveTimeout: keepAlive,
    keepAliveMaxTimeout: keepAlive,
  })
  return {
    async post(url, body, timeout) {
      const target = permittedUrl(url, true)
      // The URL may come from a certificate: its authority must not choose what we ask of the machine's own network.
      const literal = literalAddress(target.hostname)
      if (literal !== undefined && isForbiddenAddress(literal))
        throw new FetchError('address_refused', `${named(target)} is a link-local or metadata address`)
      const signal = AbortSignal.timeout(timeout)
      try {
        const answer = await request(target, {
          method: 'POST',
          dispatcher: agent,
          signal,
          headersTimeout: timeout,
          bodyTimeout: timeout,
          headers: {
            accept: 'application/ocsp-response',
            'accept-encoding': 'identity',
            'content-type': 'application/ocsp-request',
            'user-agent': 'portcullis',
          },
          body,
        })
        answer.body.on('error', () => undefined)
        const read = await readAnswer(answer, maxBytes)
        if (read.status !== 200) throw new FetchError('network', `${named(target)} answers ${read.status}`)
        return read.body
      } catch (error) {
        throw asFetchError(error, target, signal)
      }
    },
    close: () => void agent.close().catch(() => undefined),
  }
}
