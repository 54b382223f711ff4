// The userinfo endpoint, for both kinds of access token: the library's own refuses the JWTs that this provider issues.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { publicKeys } from './keys.ts'
import { accountClaims } from './provider.ts'
import type { OpenIdProvider, ProviderParts } from './provider.ts'

/**
 * Answers with the claims of the person whose access token is presented, 401 otherwise.
 *
 * @see OpenID Connect Core 1.0 section 5.3
 */
export async function answerUserinfo(
  parts: ProviderParts,
  provider: OpenIdProvider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const name = token === undefined ? undefined : await subjectOf(parts, provider, token)
  const user = parts.users.find((candidate) => candidate.name === name)
  if (user === undefined) {
    const challenge = token === undefined ? 'Bearer realm="userinfo"' : 'Bearer error="invalid_token"'
    response.writeHead(401, { 'WWW-Authenticate': challenge, 'Cache-Control': 'no-store' })
    response.end()
    return
  }
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(accountClaims(user)))
}

async function subjectOf(
  parts: ProviderParts,
  provider: OpenIdProvider,
  token: string,
): Promise<string | undefined> {
  if (token.split('.').length !== 3) {
    const found = await provider.AccessToken.find(token)
    return found?.isValid === true ? found.accountId : undefined
  }
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(publicKeys(parts.keys)), {
      issuer: parts.issuer,
      audience: parts.audience,
      typ: 'at+jwt',
    })
    return payload.sub
  } catch {
    return undefined
  }
}
