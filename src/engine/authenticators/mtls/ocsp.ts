/** Asks OCSP responders: one question for all who wait for it, and its answer kept for as long as it holds. */
import { LRUCache } from 'lru-cache'
import type { Path } from '../../certificates/certificate.ts'
import { makeOcspRequest } from '../../certificates/ocsp-request.ts'
import { readOcspResponse, type OcspAnswer } from '../../certificates/ocsp-response.ts'
import { rejected, type Rejected } from '../../outcome.ts'
import type { OcspResponders } from '../../../ports/ocsp.ts'
import type { OcspSettings } from './settings.ts'

export interface OcspCheck {
  /** From memory; undefined when the responder must be asked (again). */
  recall(path: Path, now: number): 'good' | Rejected | undefined
  ask(path: Path, now: number): 'good' | Rejected | Promise<'good' | Rejected>
}

const mostRemembered = 10_000
/** How long a failure is remembered, so that a responder that is away is not asked by every request; and the longest life of an answer. */
const failureHolds = 5_000
const longestHeld = 3_600_000

interface Held {
  readonly answer: 'good' | Rejected
  readonly until: number
}

export function createOcspCheck(settings: OcspSettings, responders: OcspResponders): OcspCheck {
  const held = new LRUCache<string, Held>({ max: mostRemembered })
  const asking = new Map<string, Promise<'good' | Rejected>>()

  const recall = (path: Path, now: number): 'good' | Rejected | undefined => {
    const known = held.get(keyOf(path))
    return known !== undefined && now < known.until ? known.answer : undefined
  }

  const ask = (path: Path, now: number): 'good' | Rejected | Promise<'good' | Rejected> => {
    const known = recall(path, now)
    if (known !== undefined) return known
    const key = keyOf(path)
    let waiting = asking.get(key)
    if (waiting === undefined) {
      waiting = look(path, now).then((found) => {
        held.set(key, found)
        asking.delete(key)
        return found.answer
      })
      asking.set(key, waiting)
    }
    return waiting
  }

  const look = async (path: Path, now: number): Promise<Held> => {
    const answer = await answerFor(path, now)
    const { status } = answer
    if (status === 'unknown') {
      const why: Rejected = { ...rejected('ocsp_unavailable', answer.detail), retryAfter: 5 }
      return { answer: settings.required ? why : 'good', until: now + failureHolds }
    }
    const until = Math.min(answer.until, now + longestHeld)
    if (status === 'good') return { answer: 'good', until }
    return { answer: rejected('certificate_revoked', 'the responder says so'), until }
  }

  const answerFor = async (path: Path, now: number): Promise<OcspAnswer> => {
    const [leaf, issuer] = path
    // A certificate that is itself an anchor has nobody who could revoke it but the operator.
    if (leaf === undefined || issuer === undefined) return { status: 'good', until: Infinity }
    const url = settings.url ?? leaf.ocspUrls.find((each) => /^https?:\/\//i.test(each))
    if (url === undefined) return { status: 'unknown', detail: 'no responder is known for the certificate' }
    const request = makeOcspRequest(leaf, issuer)
    try {
      return readOcspResponse(await responders.post(url, request.bytes, settings.timeout), {
        request,
        issuer,
        now,
      })
    } catch (error) {
      return {
        status: 'unknown',
        detail: error instanceof Error ? error.message : 'the responder does not answer',
      }
    }
  }

  return Object.freeze({ recall, ask })
}

/** By its issuer too: under another key of the same name it is another question. */
function keyOf([leaf, issuer]: Path): string {
  return `${leaf?.fingerprint ?? ''} ${issuer?.fingerprint ?? ''}`
}
