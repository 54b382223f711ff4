/** A protected resource as the settings of an authenticator name it. */
import type { Binding } from '../authenticators/authenticator.ts'
import { normalizePath } from '../normal-path.ts'

/** As it is written. */
export interface ParsedResource {
  readonly id: string
  readonly scopes?: readonly string[]
  readonly documentation?: string
}

export interface ResourceSettings {
  /** Its identifier: what clients ask tokens for, and what `aud` of these holds (RFC 8707). */
  readonly id: string
  readonly documentation?: string
  /** How tokens for it are bound. */
  readonly binding: Binding['mode']
}

export function compileResource(
  { id, documentation }: ParsedResource,
  binding: Binding['mode'],
): ResourceSettings {
  return { id, ...(documentation === undefined ? {} : { documentation }), binding }
}

const wellKnown = '/.well-known/oauth-protected-resource'

/**
 * @returns the path of the description: a root has none of its own behind it
 * @see RFC 9728 section 3.1
 */
export function metadataPath(id: string): string {
  const { pathname } = new URL(id)
  return pathname === '/' ? wellKnown : `${wellKnown}${pathname}`
}

/** @returns the address of the description, for challenges */
export function metadataUrl(id: string): string {
  return `${new URL(id).origin}${metadataPath(id)}`
}

/**
 * @returns the audiences that mean the resource. A root has two forms, since clients write URLs of hosts with the slash that
 * people leave out.
 */
export function audiencesOf(id: string): readonly string[] {
  const url = new URL(id)
  return url.pathname === '/' && url.search === '' ? [url.origin, `${url.origin}/`] : [id]
}

/** @returns what is wrong with an identifier, in words; undefined when nothing is */
export function identifierFault(id: string): string | undefined {
  const { href, pathname, search } = new URL(id)
  if (search !== '' || id.includes('?')) return 'a query has no place in it: the description has none'
  const isPlain = pathname === '/' ? audiencesOf(id).includes(id) : href === id
  if (!isPlain) return `it is read as ${href}, and clients compare it letter by letter`
  return normalizePath(pathname, strict) === pathname ? undefined : 'its path is not in its plain form'
}

const strict = { encodedSlashes: 'refuse', pathParameters: 'refuse' } as const
