import { describe, expect, it } from 'vitest'
import { later } from './availability.ts'
import { configurationJsonSchema, isSecretAt, nodesAt, referred, type SchemaNode } from './schema-json.ts'

/** Every node of the schema with its path. */
function* everyNode(node: SchemaNode, path: string): Generator<readonly [SchemaNode, string]> {
  yield [node, path]
  for (const [name, member] of Object.entries(node.properties ?? {}))
    yield* everyNode(member, `${path}.${name}`)
  for (const [name, definition] of Object.entries(node.$defs ?? {})) yield* everyNode(definition, `$${name}`)
  for (const branch of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) yield* everyNode(branch, path)
  if (typeof node.additionalProperties === 'object') yield* everyNode(node.additionalProperties, `${path}.*`)
  if (node.items !== undefined) yield* everyNode(node.items, `${path}[]`)
}

const nodes = [...everyNode(configurationJsonSchema(), '')]

describe('the JSON Schema', () => {
  it('is of draft 2020-12, and closed at every level', () => {
    expect(configurationJsonSchema().$schema).toBe('https://json-schema.org/draft/2020-12/schema')
    const open = nodes.filter(
      ([node]) => node.properties !== undefined && node.additionalProperties !== false,
    )
    expect(open.map(([, path]) => path)).toEqual([])
  })

  it('describes every member', () => {
    const silent = nodes.flatMap(([node, path]) =>
      Object.entries(node.properties ?? {})
        .filter(([, member]) => (member.description ?? referred(member).description ?? '') === '')
        .map(([name]) => `${path}.${name}`),
    )
    expect(silent).toEqual([])
  })

  it('has patterns that every reader of JSON Schema can compile', () => {
    for (const [node, path] of nodes) {
      if (node.pattern !== undefined) expect(() => new RegExp(node.pattern!, 'u'), path).not.toThrow()
    }
  })

  it('lets references stand where they are to become a duration or an address', () => {
    const [{ pattern } = {}] = nodesAt(['limits', 'idleTimeout'], {})
    const matches = (text: string): boolean => new RegExp(pattern!, 'u').test(text)
    expect([
      matches('75s'),
      matches('${env:IDLE}'),
      matches('${file:./idle}'),
      matches('75 seconds'),
    ]).toEqual([true, true, true, false])
  })

  it('knows which members are secret, whatever stands there', () => {
    const tree = { authenticators: { keys: { type: 'api-key' }, token: { type: 'jwt' } } }
    expect(isSecretAt(['admin', 'token'], {})).toBe(true)
    expect(isSecretAt(['authenticators', 'keys', 'pepper', 0], tree)).toBe(true)
    expect(isSecretAt(['authenticators', 'token', 'secret'], tree)).toBe(true)
    expect(isSecretAt(['routes', 0, 'forward', 'set', 'X-Key'], {})).toBe(true)
    expect(isSecretAt(['authenticators', 'keys', 'prefix'], tree)).toBe(false)
    expect(isSecretAt(['nowhere', 'at', 'all'], {})).toBe(false)
  })
})

describe('what a later version builds', () => {
  it('is in the schema already', () => {
    for (const { path, only } of later) {
      const concrete = path.map((step) => (step === '#' ? 0 : step === '*' ? 'name' : step))
      expect(nodesAt(concrete, {}).length, path.join('.')).toBeGreaterThan(0)
      expect(Array.isArray(only)).toBe(true)
    }
  })
})
