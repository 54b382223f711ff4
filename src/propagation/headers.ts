/** The identity as header fields: what a backend reads instead of a credential. */
import type { ForwardSettings, IdentityField } from '../configuration.ts'
import type { Identity } from '../engine/identity.ts'
import type { FieldLines } from '../exchange.ts'
import { encodeFieldValue, encodeListElement } from './encode.ts'

/** @returns the field lines for an identity: the same frozen array each time, since identities are shared by many requests */
export type IdentityHeaders = (identity: Identity) => FieldLines

/** @param forward `headers` names the header for each field that goes; what `remove` names goes not */
export function compileIdentityHeaders(
  forward: Pick<ForwardSettings, 'headers' | 'remove'>,
): IdentityHeaders {
  const removed = new Set(forward.remove.map((name) => name.toLowerCase()))
  const names = Object.entries(forward.headers === false ? {} : forward.headers) as [IdentityField, string][]
  const written = names.filter(([, name]) => !removed.has(name.toLowerCase()))
  const known = new WeakMap<Identity, FieldLines>()
  return (identity) => {
    let lines = known.get(identity)
    if (lines === undefined) {
      lines = Object.freeze(
        written.flatMap(([field, name]) => {
          const value = fieldValue(identity, field)
          return value === '' ? [] : [name, value]
        }),
      )
      known.set(identity, lines)
    }
    return lines
  }
}

function fieldValue(identity: Identity, field: IdentityField): string {
  switch (field) {
    case 'scopes':
      return tellableScopes(identity).map(encodeFieldValue).join(' ')
    case 'roles':
      return identity.roles
        .filter((role) => role !== '')
        .map(encodeListElement)
        .join(',')
    case 'subject':
    case 'issuer':
    case 'client':
    case 'tenant':
    case 'method':
      return encodeFieldValue(identity[field] ?? '')
  }
}

/** @returns the scopes that can be told in a space-separated list: one with a space in it would read as two that nobody granted */
export function tellableScopes(identity: Identity): readonly string[] {
  return identity.scopes.filter((scope) => scope !== '' && !scope.includes(' '))
}

/** @returns the scopes that were left out for that reason, for the record */
export function droppedScopes(identity: Identity): readonly string[] {
  return identity.scopes.filter((scope) => scope.includes(' '))
}
