/** What a token's header may say. Nothing in it names a key to trust: `jwk`, `jku`, `x5u` and `x5c` are not even read. */
import { rejected, type Rejected } from '../../outcome.ts'

export interface Header {
  readonly alg: string
  readonly kid?: string
  /** `typ` says that this is an access token. */
  readonly isAccessToken: boolean
}

export interface HeaderRules {
  readonly algorithms: ReadonlySet<string>
  readonly requiresAccessType: boolean
}

const maxKidLength = 256

/** @see RFC 7515 section 4.1, RFC 8725 sections 3.1 and 3.11, RFC 9068 section 4 */
export function judgeHeader(
  header: Readonly<Record<string, unknown>>,
  rules: HeaderRules,
): Header | Rejected {
  const { alg, kid, typ, cty } = header
  if (typeof alg !== 'string') return rejected('token_malformed', 'the header names no algorithm')
  if (!rules.algorithms.has(alg)) return rejected('token_algorithm', algorithmDetail(alg))
  // No extension is understood here, so any critical one is a reason to refuse; `b64` changes what was signed.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return rejected('token_critical_header')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKidLength)) {
    return rejected('token_malformed', '`kid` is not a string of at most 256 characters')
  }
  if (Object.hasOwn(header, 'enc'))
    return rejected('token_malformed', 'three parts, but the header of an encrypted token')
  const type = mediaType(typ)
  if (typ !== undefined && type !== 'jwt' && type !== 'at+jwt') return rejected('token_type')
  if (rules.requiresAccessType && type !== 'at+jwt') return rejected('token_type', '`typ` is not at+jwt')
  // A token inside a token: the inner claims are the ones that somebody meant, and nobody would look at them.
  if (cty !== undefined && (typeof cty !== 'string' || mediaType(cty) === 'jwt')) {
    return rejected('token_type', 'a nested token')
  }
  return { alg, ...(kid === undefined ? {} : { kid }), isAccessToken: type === 'at+jwt' }
}

/** @see RFC 7515 section 4.1.9: `application/` may be left out, and media types are compared without case */
function mediaType(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase().replace(/^application\//, '') : undefined
}

/** Only what has the form of an algorithm's name is repeated to the operator. */
function algorithmDetail(alg: string): string {
  return /^[A-Za-z0-9-]{1,16}$/.test(alg) ? `${alg} is not among the algorithms` : 'not among the algorithms'
}
