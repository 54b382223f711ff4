/** The parts of a request that a signature can cover, and the text that is signed. */
import { serializeInnerList, type InnerList } from 'structured-headers'
import type { GatewayRequest } from '../../request.ts'
import type { Component, DerivedName } from './component.ts'
import { fieldValue } from './field-value.ts'

/** A request as far as signatures go. */
export type SignedRequest = Pick<GatewayRequest, 'method' | 'target' | 'publicOrigin' | 'values'>

/**
 * The signature base. What it says of the target is the target as it was sent: the path that is matched and forwarded follows
 * from it in one way only, and a target that was rewritten on the way here, even into an equal one, is another.
 *
 * @param input the member of `Signature-Input`, written anew, so that its spacing is no part of it
 * @returns undefined when a component is covered twice or the request has no single value for it
 * @see RFC 9421, section 2.5
 */
export function signatureBase(
  components: readonly Component[],
  input: InnerList,
  request: SignedRequest,
): string | undefined {
  const seen = new Set<string>()
  let base = ''
  for (const component of components) {
    const value = componentValue(component, request)
    const identity = identityOf(component)
    if (value === undefined || seen.has(identity)) return undefined
    seen.add(identity)
    base += `${component.identifier}: ${value}\n`
  }
  return `${base}"@signature-params": ${serializeInnerList(input)}`
}

/** The same whatever the order of its parameters. */
function identityOf(component: Component): string {
  return component.kind === 'derived' || component.form.as !== 'member'
    ? component.identifier
    : `${component.name};key=${component.form.key}`
}

function componentValue(component: Component, request: SignedRequest): string | undefined {
  if (component.kind === 'derived') return derivedValue(component.name, component.parameter, request)
  const lines = request.values(component.name)
  return lines.length === 0 ? undefined : fieldValue(component.name, lines, component.form)
}

/** @see RFC 9421, section 2.2 */
function derivedValue(
  name: DerivedName,
  parameter: string | undefined,
  { method, target, publicOrigin }: SignedRequest,
): string | undefined {
  const question = target.indexOf('?')
  switch (name) {
    case '@method':
      return method
    // A host that is none of ours has no origin: nothing that is signed for it is meant for us.
    case '@target-uri':
      return publicOrigin && `${publicOrigin}${target}`
    case '@authority':
      return publicOrigin?.slice(publicOrigin.indexOf('//') + 2)
    case '@scheme':
      return publicOrigin?.slice(0, publicOrigin.indexOf(':'))
    case '@request-target':
      return target
    case '@path':
      return question === -1 ? target : target.slice(0, question)
    case '@query':
      return question === -1 ? '?' : target.slice(question)
    case '@query-param':
      return question === -1 ? undefined : queryParameter(target.slice(question + 1), parameter ?? '')
  }
}

/**
 * @returns undefined unless the parameter is there exactly once: of two, a backend may read the one that was not signed
 * @see RFC 9421, section 2.2.8
 */
function queryParameter(query: string, wanted: string): string | undefined {
  let value: string | undefined
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = formEncoded(equals === -1 ? pair : pair.slice(0, equals))
    // One that cannot be read could be the wanted one to somebody else.
    if (name === undefined) return undefined
    if (name !== wanted) continue
    if (value !== undefined) return undefined
    value = formEncoded(equals === -1 ? '' : pair.slice(equals + 1))
    if (value === undefined) return undefined
  }
  return value
}

/** Decoded as forms write it, and encoded in the one form that signatures take. */
function formEncoded(part: string): string | undefined {
  try {
    return encodeURIComponent(decodeURIComponent(part.replaceAll('+', ' ')))
  } catch {
    return undefined
  }
}
