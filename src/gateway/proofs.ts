/** Makes the judge of proofs of possession, whose nonces outlive a restart and are the same in every process of one store. */
import { randomBytes } from 'node:crypto'
import { createProofJudge, type ProofJudge } from '../engine/bindings/dpop.ts'
import { createServerNonces } from '../engine/bindings/nonce.ts'
import type { Clock } from '../ports/clock.ts'
import type { Facts } from '../ports/facts.ts'
import type { Once } from '../ports/once.ts'

const secretName = 'dpop-nonce/secret'

/** @throws when the store fails, or holds something that is no secret */
export async function openProofJudge(facts: Facts, once: Once, clock: Clock): Promise<ProofJudge> {
  const fresh = randomBytes(32).toString('base64url')
  const secret = await facts.setIfAbsent(secretName, fresh)
  return createProofJudge({
    clock,
    once,
    nonces: createServerNonces(Buffer.from(secret, 'base64url'), clock),
  })
}
