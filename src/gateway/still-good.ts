/** Whether the credentials of an open stream still stand: asked each second, so that a revocation cuts it. */
import type { Proof } from '../engine/authenticate.ts'
import type { ExchangeState } from './exchange-state.ts'

/** @returns a question to ask again and again; once the answer is no, it stays so */
export function stillGood(exchange: ExchangeState): () => boolean {
  let isGood = true
  return () => {
    for (const proof of exchange.proofs) {
      const outcome = proof.authenticator.recall(proof.presented)
      if (outcome?.outcome === 'rejected') isGood = false
      // Forgotten by the cache: prove it again beside, and cut at the next look if it fails.
      if (outcome === undefined) {
        void proveAgain(proof).then((stands) => {
          isGood &&= stands
          return undefined
        })
      }
    }
    return isGood
  }
}

/** A source that is away (503) is no proof that the credential was withdrawn; an error is a bug and cuts. */
async function proveAgain({ authenticator, presented }: Proof): Promise<boolean> {
  try {
    const outcome = await authenticator.verify(presented)
    return outcome.outcome === 'verified' || outcome.reason.endsWith('unavailable')
  } catch {
    return false
  }
}
