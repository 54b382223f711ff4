/**
 * What a condition sees of a request, built only as far as it is read. Values are `Map`s rather than objects, so that a claim called
 * `constructor` is a claim.
 */
import type { CelInput } from '@bufbuild/cel'
import type { Identity } from '../../identity.ts'
import { decodeFormPart } from '../../query.ts'
import type { GatewayRequest } from '../../request.ts'

export interface ConditionFacts {
  readonly identity: Identity | undefined
  readonly request: GatewayRequest
  readonly routeId: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The variables of one evaluation. */
export interface Context {
  readonly variables: Record<string, CelInput>
  /** Set by the touch of a repeated field or parameter: whatever comes out then is an error, even `repeated || true`. */
  touchedRepeated: boolean
}

export function createContext(facts: ConditionFacts): Context {
  const context: Context = {
    variables: Object.create(null) as Record<string, CelInput>,
    touchedRepeated: false,
  }
  const { identity } = facts
  const { variables } = context
  variables['identity'] = identity === undefined ? nobody : identityMap(identity)
  variables['request'] = new LazyMap(
    () => requestMembers,
    (name) => requestMember(name, facts, context),
  )
  variables['route'] = new Map([['id', facts.routeId]])
  return context
}

/** A map whose values are made when they are asked for. `undefined` is no member. */
class LazyMap extends Map<string, CelInput> {
  readonly #names: () => readonly string[]
  readonly #make: (name: string) => CelInput | undefined

  /** @param names of the members that there are, without touching any */
  constructor(names: () => readonly string[], make: (name: string) => CelInput | undefined) {
    super()
    this.#names = names
    this.#make = make
  }

  override get(name: string): CelInput | undefined {
    return typeof name === 'string' ? this.#make(name) : undefined
  }

  override has(name: string): boolean {
    return this.get(name) !== undefined
  }

  override get size(): number {
    return this.#names().length
  }

  override keys(): MapIterator<string> {
    return this.#names().values()
  }

  override entries(): MapIterator<[string, CelInput]> {
    return this.#names()
      .map((name): [string, CelInput] => [name, this.get(name)!])
      .values()
  }

  override values(): MapIterator<CelInput> {
    return this.#names()
      .map((name) => this.get(name)!)
      .values()
  }

  override [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries()
  }
}

/** Without an identity its members are missing, so that a condition on them fails rather than meets an empty name. */
const nobody: ReadonlyMap<string, CelInput> = new Map()

// Identities are shared by all requests of one credential: their claims are turned into maps once.
const identityMaps = new WeakMap<Identity, ReadonlyMap<string, CelInput>>()
const identityMembers = [
  'subject',
  'issuer',
  'client',
  'tenant',
  'scopes',
  'roles',
  'claims',
  'method',
] as const

function isIdentityMember(name: string): name is Exclude<(typeof identityMembers)[number], 'claims'> {
  return name !== 'claims' && (identityMembers as readonly string[]).includes(name)
}

function identityMap(identity: Identity): ReadonlyMap<string, CelInput> {
  let map = identityMaps.get(identity)
  if (map === undefined) {
    let claims: CelInput | undefined
    map = new LazyMap(
      () => identityMembers.filter((name) => identity[name] !== undefined),
      (name) => {
        if (name === 'claims') return (claims ??= fromJson(identity.claims))
        return isIdentityMember(name) ? identity[name] : undefined
      },
    )
    identityMaps.set(identity, map)
  }
  return map
}

/** JSON as CEL knows it: numbers are doubles, objects are maps. */
function fromJson(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(fromJson)
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([name, member]) => [name, fromJson(member)]))
  }
  return value as string | number | boolean | null
}

const requestMembers = ['method', 'path', 'host', 'query', 'headers', 'clientIp', 'time'] as const

function requestMember(
  name: string,
  { request, now }: ConditionFacts,
  context: Context,
): CelInput | undefined {
  switch (name) {
    case 'method':
    case 'path':
    case 'host':
    case 'clientIp':
      return request[name]
    case 'headers':
      return new LazyMap(
        () => request.names(),
        (field) => (request.count(field) > 1 ? repeated(context) : request.header(field)),
      )
    case 'query':
      return parametersOf(request.query, context)
    case 'time':
      return timestamp(now)
    default:
      return undefined
  }
}

function parametersOf(query: string, context: Context): CelInput {
  const found = new Map<string, readonly string[]>()
  for (const pair of query === '' ? [] : query.split('&')) {
    const equals = pair.indexOf('=')
    const name = decodeFormPart(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : decodeFormPart(pair.slice(equals + 1))
    found.set(name, [...(found.get(name) ?? []), value])
  }
  return new LazyMap(
    () => [...found.keys()],
    (name) => {
      const values = found.get(name)
      return values !== undefined && values.length > 1 ? repeated(context) : values?.[0]
    },
  )
}

function repeated(context: Context): never {
  context.touchedRepeated = true
  throw new RangeError('a repeated field or parameter')
}

/** In the form of the library's protocol-buffer messages. */
export function timestamp(milliseconds: number): CelInput {
  const seconds = Math.floor(milliseconds / 1000)
  return {
    $typeName: 'google.protobuf.Timestamp',
    seconds: BigInt(seconds),
    nanos: Math.round((milliseconds - seconds * 1000) * 1e6),
  }
}
