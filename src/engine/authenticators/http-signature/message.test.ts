import { describe, expect, it } from 'vitest'
import { componentOf, covers, writtenComponent, type Component } from './component.ts'
import { signatureBase, type SignedRequest } from './message.ts'

const request: SignedRequest = {
  method: 'POST',
  target: '/caf%c3%a9/./x?a=1&b=two+words&b=2&empty&c=%e4%b8%ad%2f',
  publicOrigin: 'https://api.example.com:8443',
  values: (name) => fields[name] ?? [],
}

const fields: Readonly<Record<string, readonly string[]>> = {
  date: ['Tue, 20 Apr 2021 02:07:55 GMT'],
  'x-owner': [' one\t', 'two, three '],
  'x-empty': [''],
  'x-odd': ['caf\u00e9'],
  'example-dict': ['  a=1,    b=2;x=1;y=2,   c=(a   b   c)', 'd'],
  'twice-dict': ['a=1, a=2'],
  priority: ['u=1,i'],
  'content-digest': ['sha-256=:AAAA:'],
}

describe('the value of a component', () => {
  it.each([
    ['@method', 'POST'],
    ['@target-uri', 'https://api.example.com:8443/caf%c3%a9/./x?a=1&b=two+words&b=2&empty&c=%e4%b8%ad%2f'],
    ['@authority', 'api.example.com:8443'],
    ['@scheme', 'https'],
    ['@request-target', '/caf%c3%a9/./x?a=1&b=two+words&b=2&empty&c=%e4%b8%ad%2f'],
    ['@path', '/caf%c3%a9/./x'],
    ['@query', '?a=1&b=two+words&b=2&empty&c=%e4%b8%ad%2f'],
    ['@query-param;name="a"', '1'],
    ['@query-param;name="empty"', ''],
    ['@query-param;name="c"', '%E4%B8%AD%2F'],
    ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
    ['x-owner', 'one, two, three'],
    ['x-empty', ''],
    ['x-owner;bs', ':b25l:, :dHdvLCB0aHJlZQ==:'],
    ['x-odd;bs', ':Y2Fm6Q==:'],
    ['example-dict;key="a"', '1'],
    ['example-dict;key="b"', '2;x=1;y=2'],
    ['example-dict;key="c"', '(a b c)'],
    ['example-dict;key="d"', '?1'],
    ['priority;sf', 'u=1, i'],
  ])('of %s is %s', (written, value) => {
    expect(baseOf(written)?.split('\n')[0]).toBe(`${writtenComponent(written)!.identifier}: ${value}`)
  })

  it.each([
    ['a parameter that is there twice', '@query-param;name="b"'],
    ['a parameter that is not there', '@query-param;name="d"'],
    ['a field that is not there', 'x-missing'],
    ['a field with bytes of no charset', 'x-odd'],
    ['the structure of a field that is not known to have one', 'x-owner;sf'],
    ['a member of what is no dictionary', 'date;key="a"'],
    ['a member that is not there', 'example-dict;key="z"'],
    ['a member of a dictionary that names it twice', 'twice-dict;key="a"'],
  ])('is missing for %s', (_what, written) => {
    expect(baseOf(written)).toBeUndefined()
  })

  it('is missing for the target of a host that is none of ours', () => {
    for (const written of ['@target-uri', '@authority', '@scheme']) {
      expect(baseOf(written, { ...request, publicOrigin: undefined })).toBeUndefined()
    }
  })

  it('is missing for any parameter of a query that two readers could read differently', () => {
    expect(baseOf('@query-param;name="a"', { ...request, target: '/?a=1&%ff=2' })).toBeUndefined()
    expect(baseOf('@query-param;name="a"', { ...request, target: '/?a=1&%61=2' })).toBeUndefined()
  })

  it('of an absent query is a question mark', () => {
    expect(baseOf('@query', { ...request, target: '/x' })).toMatch(/^"@query": \?\n/)
    expect(baseOf('@query-param;name="a"', { ...request, target: '/x' })).toBeUndefined()
  })

  it('is missing where a component is covered twice, in whatever order its parameters are', () => {
    const both = [written('priority;sf;key="u"'), written('priority;key="u";sf')]
    expect(signatureBase([written('date'), written('date')], [[], new Map()], request)).toBeUndefined()
    expect(signatureBase(both, [[], new Map()], request)).toBeUndefined()
    expect(signatureBase([both[0]!, written('priority;key="i"')], [[], new Map()], request)).toBeDefined()
  })
})

describe('a component identifier', () => {
  it.each([
    '@status',
    '@signature-params',
    '@nothing',
    '@method;x',
    '@method;req',
    'date;req',
    'date;tr',
    'date;bs;sf',
    'date;bs;key="a"',
    'date;sf=?0',
    'date;key',
    'Date',
    'a b',
    '',
    '@query-param',
    '@query-param;name',
    '@query-param;name="a";x',
    'date;key="a";key="b"',
  ])('is refused: %s', (text) => {
    expect(writtenComponent(text)).toBeUndefined()
  })

  it('must be a string', () => {
    expect(componentOf([7, new Map()])).toBeUndefined()
  })

  it('covers a field in whichever form it is whole, and by a member never', () => {
    const required = written('content-digest')
    expect(covers([written('content-digest;sf')], required)).toBe(true)
    expect(covers([written('content-digest;bs')], required)).toBe(true)
    expect(covers([written('content-digest;key="sha-256"')], required)).toBe(false)
    expect(covers([written('content-type')], required)).toBe(false)
    expect(covers([written('@path'), written('@query')], written('@target-uri'))).toBe(false)
  })
})

function written(text: string): Component {
  const component = writtenComponent(text)
  if (component === undefined) throw new Error(`no component: ${text}`)
  return component
}

function baseOf(text: string, message: SignedRequest = request): string | undefined {
  return signatureBase([written(text)], [[], new Map()], message)
}
