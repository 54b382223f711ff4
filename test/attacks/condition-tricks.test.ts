/** Conditions are asked about what an attacker sends: it must not block the process, nor turn "cannot say" into "yes". */
import { describe, expect, it } from 'vitest'
import { compileAuthorize, evaluate } from '../../src/engine/authorization/evaluate.ts'
import type { Identity } from '../../src/engine/identity.ts'
import { gatewayRequest, type RequestParts } from '../support/gateway-request.ts'
import { alice } from '../support/planning.ts'

function decide(when: string, parts: RequestParts = {}, identity: Identity | undefined = alice): string {
  const facts = { identity, request: gatewayRequest(parts), routeId: 'r', now: 1_800_000_000_000 }
  return evaluate(compileAuthorize({ when }), facts)?.reason ?? 'allowed'
}

describe('a condition under attack', () => {
  it('takes linear time for a pattern that explodes elsewhere', () => {
    const start = performance.now()
    const value = `${'a'.repeat(10_000)}!`
    expect(decide('request.headers["x"].matches("^(a+)+$")', { headers: { x: value } })).toBe(
      'condition_false',
    )
    expect(decide('request.headers["x"].matches("^(a|aa)+$")', { headers: { x: value } })).toBe(
      'condition_false',
    )
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('takes bounded time for a pattern that the attacker sends', () => {
    const start = performance.now()
    const pattern = '((((a{1,10}){1,10}){1,10}){1,10}){1,10}'
    const answer = decide('request.path.matches(request.headers["x"])', { headers: { x: pattern } })
    expect(['condition_error', 'condition_false', 'allowed']).toContain(answer)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('is not met by a claim that is merely truthy', () => {
    for (const yes of ['true', 1, 'yes', {}, [], ['true'], [true], { value: true }]) {
      expect(decide('identity.claims.admin', {}, { ...alice, claims: { admin: yes } })).toBe(
        'condition_error',
      )
    }
    expect(decide('identity.claims.admin', {}, { ...alice, claims: { admin: true } })).toBe('allowed')
  })

  it('is not met by an error, negated or not', () => {
    for (const when of [
      'identity.claims.missing == "x"',
      'identity.claims.missing != "x"',
      '!(identity.claims.missing == "x")',
      '!!(identity.claims.missing == "x")',
      'identity.claims.missing == identity.claims.missing',
      'identity.claims.blocked == true ? false : true',
      'identity.tenant != "blocked"',
      'int(request.headers["x"]) >= 0',
    ]) {
      expect([when, decide(when, { headers: { x: 'abc' } })]).toEqual([when, 'condition_error'])
    }
  })

  it('is not met by a member that every object has', () => {
    const none = { ...alice, claims: {} }
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']) {
      expect(decide(`has(identity.claims["${name}"].x) || has(identity.claims.${name})`, {}, none)).not.toBe(
        'allowed',
      )
      expect(decide(`"${name}" in identity.claims`, {}, none)).toBe('condition_false')
      expect(decide(`"${name.toLowerCase()}" in request.headers || "${name}" in request.query`)).toBe(
        'condition_false',
      )
    }
  })

  it('is not met by sending a field or parameter twice, once good and once bad', () => {
    const when = 'request.headers["x-env"] == "prod" && request.query.mode != "debug"'
    const good = { headers: { 'x-env': 'prod' }, query: 'mode=fast' }
    expect(decide(when, good)).toBe('allowed')
    expect(decide(when, { ...good, headers: { 'x-env': ['prod', 'test'] } })).toBe('condition_error')
    expect(decide(when, { ...good, query: 'mode=fast&mode=debug' })).toBe('condition_error')
    expect(decide(when, { ...good, query: 'mode=fast&m%6fde=debug' })).toBe('condition_error')
  })

  it('survives claims that are nested as deeply as a token can hold', () => {
    let deep: unknown = 'x'
    for (let level = 0; level < 20_000; level += 1) deep = [deep]
    const identity = { ...alice, claims: { deep } }
    expect(['condition_error', 'condition_false']).toContain(
      decide('identity.claims.deep == []', {}, identity),
    )
  })

  it('does not tell in its reason what a field held', () => {
    const facts = {
      identity: alice,
      request: gatewayRequest({ headers: { authorization: 'Bearer s3cret' } }),
      routeId: 'r',
      now: 0,
    }
    const refusal = evaluate(compileAuthorize({ when: 'int(request.headers["authorization"]) == 1' }), facts)
    expect(refusal?.reason).toBe('condition_error')
    expect(JSON.stringify(refusal)).not.toContain('s3cret')
  })
})
