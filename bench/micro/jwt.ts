/** What a token costs: remembered, verified here, verified by jose. CPU microseconds per call; run with `node bench/micro/jwt.ts`. */
import { jwtVerify, type CryptoKey } from 'jose'
import { onBench } from '../../test/support/jwt-authenticator.ts'
import {
  accessClaims,
  audience,
  createSigner,
  issuer,
  mint,
  noon,
  presented,
  type Signer,
} from '../../test/support/tokens.ts'

const rounds = 5
const callsPerRound = 2_000

interface Row {
  readonly name: string
  readonly microseconds: number
}

const rows: Row[] = []
for (const signer of [createSigner('RS256'), createSigner('ES256'), createSigner('EdDSA')]) {
  rows.push(...(await measureSigner(signer)))
}
if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
else
  for (const { name, microseconds } of rows)
    console.log(`${name.padEnd(28)}${microseconds.toFixed(2).padStart(9)} µs`)

async function measureSigner(signer: Signer): Promise<readonly Row[]> {
  const claims = accessClaims({ jti: 'bench', roles: ['viewer', 'editor'], name: 'x'.repeat(300) })
  const token = presented(mint(signer, claims))
  const key = await webKey(signer)
  const { authenticator } = onBench([signer.jwk])
  await authenticator.verify(token)
  const options = { issuer, audience, algorithms: [signer.alg], currentDate: new Date(noon) }
  return [
    await measure(`${signer.alg} recall`, () => authenticator.recall(token), callsPerRound * 50),
    await measure(
      `${signer.alg} takes, recall`,
      () => {
        authenticator.takes(token)
        authenticator.fitsAudience(token)
        return authenticator.recall(token)
      },
      callsPerRound * 50,
    ),
    await measure(`${signer.alg} verify`, () => authenticator.verify(token)),
    await measure(`${signer.alg} jose.jwtVerify`, () => jwtVerify(token.value, key, options)),
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

/** jose is quickest with a web key. */
function webKey({ jwk, alg }: Signer): Promise<CryptoKey> {
  const parameters =
    alg === 'RS256'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : alg === 'ES256'
        ? { name: 'ECDSA', namedCurve: 'P-256' }
        : { name: 'Ed25519' }
  return crypto.subtle.importKey('jwk', { ...jwk, alg: undefined } as object, parameters, false, ['verify'])
}
