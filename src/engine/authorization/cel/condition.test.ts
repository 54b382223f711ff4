import { describe, expect, it } from 'vitest'
import { gatewayRequest, type RequestParts } from '../../../../test/support/gateway-request.ts'
import type { Identity } from '../../identity.ts'
import { checkCondition, compileCondition } from './condition.ts'

const alice: Identity = Object.freeze({
  issuer: 'https://idp.example',
  subject: 'alice',
  client: 'web',
  scopes: ['catalog:read', 'catalog:list'],
  roles: ['editor'],
  claims: {
    level: 3,
    email_verified: true,
    groups: ['a', 'b'],
    nested: { deep: { x: 'y' } },
    nothing: null,
    auth_time: 1_799_999_900,
    constructor: 'odd',
    'https://example.com/tier': 'gold',
  },
  method: 'corp',
  amr: ['jwt'],
})

function ask(
  expression: string,
  parts: RequestParts = {},
  identity: Identity | undefined = alice,
): true | false | 'error' {
  const request = gatewayRequest({
    path: '/catalog/7',
    query: 'a=1&b=x%20y+z&r=1&%72=2',
    headers: { 'X-Tier': 'gold', 'X-Two': ['a', 'b'] },
    ...parts,
  })
  return compileCondition(expression).evaluate({ identity, request, routeId: 'read', now: 1_800_000_000_500 })
}

const nobody = (expression: string): true | false | 'error' =>
  compileCondition(expression).evaluate({
    identity: undefined,
    request: gatewayRequest(),
    routeId: 'read',
    now: 0,
  })

describe('a condition sees', () => {
  it.each([
    'identity.subject == "alice" && identity.issuer == "https://idp.example" && identity.client == "web"',
    '"catalog:read" in identity.scopes && size(identity.scopes) == 2',
    'identity.roles.exists(role, role.startsWith("edi"))',
    'identity.method == "corp"',
    'identity.claims.level >= 3 && identity.claims.level == 3 && identity.claims.level in [1, 2, 3]',
    'identity.claims.email_verified',
    '"b" in identity.claims.groups && identity.claims.groups[0] == "a"',
    'identity.claims.nested.deep.x == "y"',
    'identity.claims["https://example.com/tier"] == "gold"',
    'identity.claims.constructor == "odd"',
    'request.method == "GET" && request.path.startsWith("/catalog/") && request.host == "api.example.com"',
    'request.clientIp == "192.0.2.1"',
    'request.headers["x-tier"] == "gold"',
    'request.query.a == "1" && request.query["b"] == "x y z"',
    '"x-tier" in request.headers && !("x-other" in request.headers)',
    'has(identity.client) && !has(identity.tenant) && !has(identity.claims.missing)',
    'request.time > timestamp("2027-01-01T00:00:00Z") && request.time.getFullYear() == 2027',
    'request.time - timestamp(int(identity.claims.auth_time)) < duration("2m")',
    'route.id == "read"',
    'request.path.matches("^/catalog/[0-9]+$")',
    '"GOLD".lowerAscii() == request.headers["x-tier"]',
    'type(identity.claims.level) == double',
    'size(identity) == 7 && identity["subject"] == "alice"',
    'request.headers.exists(name, name == "x-tier")',
    'has(identity.tenant) ? identity.tenant == "t" : true',
  ])('%s', (expression) => {
    expect(ask(expression)).toBe(true)
  })

  it('no identity where nobody was proven', () => {
    expect(nobody('has(identity.subject)')).toBe(false)
    expect(nobody('!has(identity.subject)')).toBe(true)
    expect(nobody('identity.subject != "root"')).toBe('error')
    expect(nobody('!("admin" in identity.roles)')).toBe('error')
  })
})

describe('only true allows', () => {
  it.each([
    ['identity.subject == "bob"', false],
    ['identity.claims.level', 'error'],
    ['identity.claims.nested', 'error'],
    ['identity.claims.missing == "x"', 'error'],
    ['identity.claims.missing != "x"', 'error'],
    ['!(identity.claims.missing == "x")', 'error'],
    ['identity.claims.level < "3"', 'error'],
    ['identity.claims.groups == "a"', false],
    ['identity.claims.level / 0 == 1', 'error'],
    ['identity.claims.groups[7] == "a"', 'error'],
    ['int(request.path) == 1', 'error'],
    ['identity.claims.nothing', 'error'],
    ['identity.claims.nothing == null', true],
    ['identity.claims.missing == "x" || identity.subject == "alice"', true],
    ['identity.claims.missing == "x" && identity.subject == "bob"', false],
  ])('%s is %s', (expression, answer) => {
    expect(ask(expression)).toBe(answer)
  })

  it('the touch of a repeated field or parameter is an error, whatever stands beside it', () => {
    for (const expression of [
      'request.headers["x-two"] == "a"',
      'request.headers["x-two"] != "c"',
      'has(request.headers.two) || "x-two" in request.headers',
      '"x-two" in request.headers || true',
      '!("x-two" in request.headers)',
      'request.query.r == "1"',
      'has(request.query.r)',
      'request.query.r == "9" || request.method == "GET"',
      'request.headers.all(name, request.headers[name] != "")',
    ]) {
      expect([expression, ask(expression)]).toEqual([expression, 'error'])
    }
    expect(ask('request.query.a == "1" && request.headers["x-tier"] == "gold"')).toBe(true)
  })
})

describe('which claims a condition reads', () => {
  it.each([
    ['identity.claims.level > 1 && identity.claims["acr"] == "x"', ['acr', 'level']],
    ['has(identity.claims.a.b)', ['a']],
    ['"x" in identity.claims', ['x']],
    ['identity.subject == "a" && request.path != "/"', []],
    ['identity.claims[request.path] == 1', ['*']],
    ['identity.claims.exists(c, c == "a")', ['*']],
    ['size(identity.claims) > 0', ['*']],
    ['request.path in identity.claims', ['*']],
    ['identity["claims"]["a"] == 1', ['a']],
  ])('%s reads %j', (expression, claims) => {
    expect(compileCondition(expression).claimsRead).toEqual(claims)
  })
})

describe('a condition that cannot work is told before any request comes', () => {
  it.each([
    ['', 'the condition is empty'],
    [
      'identity.scope == "x"',
      'unknown name "identity.scope"; did you mean "identity.scopes"? (at character 9)',
    ],
    ['reqest.path == "/"', 'unknown name "reqest"; did you mean "request"? (at character 1)'],
    ['subject == "a"', 'unknown name "subject"; did you mean "identity.subject"? (at character 1)'],
    ['xyzzy', 'unknown name "xyzzy"; known are "identity", "request" and "route" (at character 1)'],
    [
      'request.zone == "a"',
      'unknown name "request.zone"; known are method, path, host, query, headers, clientIp, time (at character 8)',
    ],
    ['identity["sub"] == "a"', expect.stringContaining('unknown name "identity.sub"')],
    ['route.name == "a"', expect.stringContaining('unknown name "route.name"')],
    ['request.path.length == 3', 'a string has no member "length" (at character 13)'],
    [
      'request.headers["X-Tier"] == "gold"',
      'names of headers are lower-case: request.headers["x-tier"] (at character 16)',
    ],
    ['"X-Tier" in request.headers', expect.stringContaining('names of headers are lower-case')],
    ['identity.scopes', 'a condition is true or false, and this is a list'],
    ['"true"', 'a condition is true or false, and this is a string'],
    ['1', 'a condition is true or false, and this is a number'],
    ['identity', 'a condition is true or false, and this is the identity'],
    ['identity.roles.map(r, r + "!")', 'a condition is true or false, and this is a list'],
    [
      'identity.scopes == "catalog:read"',
      'a list is never equal to a string; did you mean "in"? (at character 17)',
    ],
    ['request.method != 1', expect.stringContaining('a string is never equal to a number')],
    ['request.time > 5', expect.stringContaining('a time is neither more nor less than a number')],
    [
      'identity.scopes.contains("a")',
      '"contains" cannot be called on a list; did you mean "in"? (at character 16)',
    ],
    ['request.path.startWith("/a")', expect.stringContaining('did you mean "startsWith"?')],
    ['startsWith(request.path, "/a")', expect.stringContaining('is called on a value: value.startsWith(…)')],
    ['request.path.int() == 1', expect.stringContaining('"int" is no method')],
    ['request.path.startsWith() || true', expect.stringContaining('takes 1 argument, and there are 0')],
    [
      'identity.roles.exist(r, r == "a")',
      expect.stringContaining('unknown function "exist"; did you mean "exists"?'),
    ],
    [
      'identity.roles.exists(r)',
      expect.stringContaining('"exists" is written like list.exists(x, condition on x)'),
    ],
    ['request.method && true', expect.stringContaining('"&&" takes true or false, and this is a string')],
    ['!identity.subject', expect.stringContaining('"!" takes true or false')],
    ['"a" in request.path', expect.stringContaining('nothing is "in" a string')],
    ['request.path[0] == "/"', expect.stringContaining('a string has no elements')],
    ['request.path.exists(c, c == "/")', expect.stringContaining('a string has no elements to go through')],
    ['request.path.matches("(a")', '"(a" is no regular expression of RE2'],
    ['request.path.matches("(?=a)")', '"(?=a)" is no regular expression of RE2'],
    [
      'google.protobuf.Timestamp{seconds: 1} == request.time',
      expect.stringContaining('there are no messages'),
    ],
    ['identity.subject ==', expect.stringMatching(/^syntax error at line 1, column \d+: /)],
    ['true &&\n  && false', expect.stringMatching(/^syntax error at line/)],
    [
      'identity.scope == "x" && reqest.path == "/"',
      'unknown name "identity.scope"; did you mean "identity.scopes"? (at character 9); unknown name "reqest"; did you mean "request"? (at character 26)',
    ],
  ])('%s', (expression, words) => {
    expect(checkCondition(expression)).toEqual(words)
    expect(() => compileCondition(expression)).toThrow(TypeError)
  })

  it('is bounded in length and depth', () => {
    expect(checkCondition(`"${'a'.repeat(4096)}" == "a"`)).toBe(
      'the condition is longer than 4096 characters',
    )
    for (const deep of [
      `${'('.repeat(2000)}true${')'.repeat(2000)}`,
      `${'['.repeat(300)}${']'.repeat(300)} == []`,
      `${'(false || true == '.repeat(210)}true${')'.repeat(210)}`,
      `${'"a"+'.repeat(1000)}"a" == "a"`,
      `identity.claims${'.a'.repeat(1000)} == 1`,
      `${'{1:'.repeat(210)}1${'}'.repeat(210)} == {}`,
      `${'identity.roles.exists(a,'.repeat(100)}true${')'.repeat(100)}`,
    ]) {
      expect([deep.slice(0, 20), checkCondition(deep)]).toEqual([
        deep.slice(0, 20),
        'the condition is nested too deeply',
      ])
    }
    expect(checkCondition(Array(250).fill('identity.claims.a').join(' && '))).toBe(
      'the condition is longer than 4096 characters',
    )
    expect(checkCondition(Array(150).fill('identity.claims.a').join(' && '))).toBeUndefined()
  })
})

describe('a pattern', () => {
  it('is the one of the moment, also where a claim brings another each time', () => {
    const condition = compileCondition('request.path.matches(identity.claims.pattern)')
    const asked = (pattern: string): true | false | 'error' =>
      condition.evaluate({
        identity: { ...alice, claims: { pattern } },
        request: gatewayRequest({ path: '/catalog/7' }),
        routeId: 'read',
        now: 0,
      })
    for (let number = 0; number < 600; number += 1) expect(asked(`/catalog/${number}$`)).toBe(number === 7)
    expect(asked('/catalog/7$')).toBe(true)
    expect(asked('(')).toBe('error')
    expect(asked('(')).toBe('error')
  })
})
