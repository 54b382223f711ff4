/** What a proof of possession costs for a known token: beside a bearer token, and beside the signature alone. Run with `node bench/micro/dpop.ts`. */
import { sign, verify } from 'node:crypto'
import { prove } from '../../src/engine/prove.ts'
import { gatewayRequest } from '../../test/support/gateway-request.ts'
import { onBench } from '../../test/support/jwt-authenticator.ts'
import { jktOf, proof } from '../../test/support/proofs.ts'
import { accessClaims, createSigner, mint, presented, type Signer } from '../../test/support/tokens.ts'

const rounds = 5
const callsPerRound = 2_000
const guard = { admit: (): number => 0, failed: (): void => undefined }

interface Row {
  readonly name: string
  readonly microseconds: number
}

const issuer = createSigner('ES256', 'issuer')
const rows: Row[] = [await measureBearer()]
for (const alg of ['ES256', 'EdDSA', 'RS256']) rows.push(...(await measureProofs(createSigner(alg))))
if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
else
  for (const { name, microseconds } of rows)
    console.log(`${name.padEnd(28)}${microseconds.toFixed(2).padStart(9)} µs`)

/** A token that is bound to nothing, known from memory. */
async function measureBearer(): Promise<Row> {
  const { authenticator } = onBench([issuer.jwk])
  const token = presented(mint(issuer, accessClaims()))
  const request = gatewayRequest({ path: '/items' })
  await authenticator.verify(token)
  return measure('bearer, known', () => prove(authenticator, token, request, guard), callsPerRound * 50)
}

async function measureProofs(signer: Signer): Promise<readonly Row[]> {
  const { authenticator } = onBench([issuer.jwk])
  const value = mint(issuer, accessClaims({ cnf: { jkt: jktOf(signer) } }))
  const token = { ...presented(value), scheme: 'DPoP' }
  await authenticator.verify(token)
  // Each proof is good once: made ahead, enough for all rounds.
  const requests = Array.from({ length: (rounds + 1) * callsPerRound }, () =>
    gatewayRequest({ path: '/items', headers: { DPoP: proof(signer, value) } }),
  )
  let next = 0
  const hash = signer.alg === 'EdDSA' ? undefined : 'sha256'
  const data = Buffer.from(proof(signer, value))
  const signature = sign(hash, data, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' })
  const key = { key: signer.publicKey, dsaEncoding: 'ieee-p1363' } as const
  return [
    await measure(`${signer.alg} proof, known token`, () => {
      const outcome = prove(authenticator, token, requests[next]!, guard)
      next += 1
      if ('outcome' in outcome && outcome.outcome !== 'verified') throw new Error('the proof was refused')
      return outcome
    }),
    await measure(`${signer.alg} signature alone`, () => verify(hash, data, key, signature)),
  ]
}

/** The best of several rounds: other work on the machine only ever adds. */
async function measure(name: string, call: () => unknown, calls: number = callsPerRound): Promise<Row> {
  let best = Infinity
  for (let round = 0; round <= rounds; round += 1) {
    const before = process.cpuUsage()
    for (let n = 0; n < calls; n += 1) {
      const result = call()
      if (result instanceof Promise) await result
    }
    const { user, system } = process.cpuUsage(before)
    // The first round warms up.
    if (round > 0) best = Math.min(best, (user + system) / calls)
  }
  return { name, microseconds: best }
}
