/** Whether the credentials of an open stream still stand: asked each second, so that a revocation cuts it. */
import type { Proof } from '../engine/authenticate.ts'
import { codeOf, type PublicCode } from '../engine/errors.ts'
import { rejected, type Outcome, type Rejected } from '../engine/outcome.ts'
import type { ExchangeState } from './exchange-state.ts'

/** @returns a question to ask again and again; once the answer is no, it stays so */
export function stillGood(exchange: ExchangeState): () => boolean {
  const { clock } = exchange.snapshot.services
  let isGood = true
  return () => {
    for (const proof of exchange.proofs) {
      const outcome = certificateFault(proof, clock.now()) ?? ask(proof)
      if (outcome instanceof Promise) {
        // Beside: cut at the next look if it fails. An error is a bug and cuts.
        void outcome
          .then(stands, () => false)
          .then((is) => {
            isGood &&= is
            return undefined
          })
      } else {
        isGood &&= stands(outcome)
      }
    }
    return isGood
  }
}

/** Only the credential is asked again: the proof of possession was given when the stream began. */
function ask({ authenticator, presented, verified, request }: Proof): Outcome | Promise<Outcome> {
  if (authenticator.stands !== undefined) return authenticator.stands(verified)
  // Forgotten by the cache: proven again.
  return authenticator.recall(presented, request) ?? authenticator.verify(presented, request)
}

/** The certificate that a credential is bound to may have expired or been revoked since. */
function certificateFault({ verified, request }: Proof, now: number): Rejected | undefined {
  if (verified.credential.confirmation?.x5tS256 === undefined) return undefined
  const fault = request.certificate?.fault(now)
  return fault === undefined ? undefined : rejected('bound_certificate_fault', fault)
}

const away: ReadonlySet<PublicCode> = new Set(['provider_unavailable', 'dependency_unavailable'])

/** A source that is away, or may not be asked so often (503), is no proof that the credential was withdrawn. */
function stands(outcome: Outcome): boolean {
  if (outcome.outcome === 'rejected') return away.has(codeOf(outcome.reason))
  return outcome.outcome === 'verified'
}
