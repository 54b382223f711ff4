/** Makes proofs of possession, good and bad, and the judge that a test holds. */
import { createHash } from 'node:crypto'
import { createProofJudge, type ProofJudge } from '../../src/engine/bindings/dpop.ts'
import { createServerNonces, type ServerNonces } from '../../src/engine/bindings/nonce.ts'
import { readPublicJwk, thumbprintOf } from '../../src/engine/public-jwk.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { createMemoryOnce } from '../../src/stores/memory/once.ts'
import { mint, noon, type Json, type Signer } from './tokens.ts'

export interface TestProofs extends ProofJudge {
  readonly nonces: ServerNonces
}

export function testProofs(clock: Clock): TestProofs {
  const nonces = createServerNonces(Buffer.alloc(32, 7), clock)
  return { ...createProofJudge({ clock, once: createMemoryOnce(clock), nonces }), nonces }
}

/** The public half as it stands in a proof, without what a key set adds. */
export function proofJwk({ publicKey }: Signer): Json {
  return publicKey.export({ format: 'jwk' }) as Json
}

export function jktOf(signer: Signer): string {
  return thumbprintOf(readPublicJwk(proofJwk(signer))!)
}

export function athOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

let count = 0

/** Claims of a good proof for `GET https://api.example.com/items` at noon, each with an id of its own. */
export function proofClaims(token: string, changes: Json = {}): Json {
  count += 1
  return {
    jti: `proof-${count}`,
    htm: 'GET',
    htu: 'https://api.example.com/items',
    iat: noon / 1_000,
    ath: athOf(token),
    ...changes,
  }
}

/** A properly signed proof; a member that is undefined is left out. */
export function proof(signer: Signer, token: string, claims: Json = {}, header: Json = {}): string {
  return mint(signer, proofClaims(token, claims), {
    typ: 'dpop+jwt',
    jwk: proofJwk(signer),
    kid: undefined,
    ...header,
  })
}
