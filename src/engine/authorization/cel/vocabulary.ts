/** What a condition may name: variables with their members, functions with what they take and give. Data for `inspect.ts`. */

/** What an expression can be known to be before anything is evaluated. `dyn` may be anything. */
export type Kind =
  | 'dyn'
  | 'bool'
  | 'number'
  | 'string'
  | 'bytes'
  | 'list'
  | 'map'
  | 'timestamp'
  | 'duration'
  | 'type'
  | 'null'
  | 'identity'
  | 'claims'
  | 'request'
  | 'fields'
  | 'parameters'
  | 'route'

/** How a message calls a kind. */
export const kindWords: Readonly<Record<Kind, string>> = {
  dyn: 'any value',
  bool: 'true or false',
  number: 'a number',
  string: 'a string',
  bytes: 'bytes',
  list: 'a list',
  map: 'a map',
  timestamp: 'a time',
  duration: 'a duration',
  type: 'a type',
  null: 'null',
  identity: 'the identity',
  claims: 'the claims',
  request: 'the request',
  fields: 'the header fields',
  parameters: 'the query parameters',
  route: 'the route',
}

export const variables: ReadonlyMap<string, Kind> = new Map([
  ['identity', 'identity'],
  ['request', 'request'],
  ['route', 'route'],
])

/** Members of the variables that have a fixed set of them. */
export const members: ReadonlyMap<Kind, ReadonlyMap<string, Kind>> = new Map<Kind, ReadonlyMap<string, Kind>>(
  [
    [
      'identity',
      new Map<string, Kind>([
        ['subject', 'string'],
        ['issuer', 'string'],
        ['client', 'string'],
        ['tenant', 'string'],
        ['scopes', 'list'],
        ['roles', 'list'],
        ['claims', 'claims'],
        ['method', 'string'],
      ]),
    ],
    [
      'request',
      new Map<string, Kind>([
        ['method', 'string'],
        ['path', 'string'],
        ['host', 'string'],
        ['query', 'parameters'],
        ['headers', 'fields'],
        ['clientIp', 'string'],
        ['time', 'timestamp'],
      ]),
    ],
    ['route', new Map<string, Kind>([['id', 'string']])],
  ],
)

/** Maps whose members are not known before a request comes. */
export const openMaps: ReadonlyMap<Kind, Kind> = new Map<Kind, Kind>([
  ['fields', 'string'],
  ['parameters', 'string'],
  ['claims', 'dyn'],
  ['map', 'dyn'],
  ['dyn', 'dyn'],
])

/** Names that stand for types, as in `type(x) == string`. */
export const typeNames: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'timestamp',
  'type',
  'uint',
])

export interface FunctionSignature {
  /** Kinds that it may be called on; undefined: it is no method. */
  readonly on?: readonly Kind[]
  /** How many arguments: least and most. */
  readonly takes: readonly [number, number]
  readonly gives: Kind
}

const string: readonly Kind[] = ['string']
const time: readonly Kind[] = ['timestamp', 'duration']
const predicate: FunctionSignature = { on: string, takes: [1, 1], gives: 'bool' }
const part: FunctionSignature = { on: time, takes: [0, 1], gives: 'number' }
const dayPart: FunctionSignature = { on: ['timestamp'], takes: [0, 1], gives: 'number' }
const shape: FunctionSignature = { on: string, takes: [0, 0], gives: 'string' }
const conversion = (gives: Kind): FunctionSignature => ({ takes: [1, 1], gives })

/** `size` is both a function and a method, so a name has a list of signatures. */
export const functions: ReadonlyMap<string, readonly FunctionSignature[]> = new Map<
  string,
  readonly FunctionSignature[]
>([
  [
    'size',
    [
      conversion('number'),
      {
        on: ['string', 'list', 'map', 'bytes', 'fields', 'parameters', 'claims'],
        takes: [0, 0],
        gives: 'number',
      },
    ],
  ],
  ['contains', [predicate]],
  ['startsWith', [predicate]],
  ['endsWith', [predicate]],
  ['matches', [predicate, { takes: [2, 2], gives: 'bool' }]],
  ['charAt', [{ on: string, takes: [1, 1], gives: 'string' }]],
  ['indexOf', [{ on: string, takes: [1, 2], gives: 'number' }]],
  ['lastIndexOf', [{ on: string, takes: [1, 2], gives: 'number' }]],
  ['lowerAscii', [shape]],
  ['upperAscii', [shape]],
  ['trim', [shape]],
  ['replace', [{ on: string, takes: [2, 3], gives: 'string' }]],
  ['split', [{ on: string, takes: [1, 2], gives: 'list' }]],
  ['substring', [{ on: string, takes: [1, 2], gives: 'string' }]],
  ['join', [{ on: ['list'], takes: [0, 1], gives: 'string' }]],
  ['format', [{ on: string, takes: [1, 1], gives: 'string' }]],
  ['getFullYear', [dayPart]],
  ['getMonth', [dayPart]],
  ['getDate', [dayPart]],
  ['getDayOfMonth', [dayPart]],
  ['getDayOfWeek', [dayPart]],
  ['getDayOfYear', [dayPart]],
  ['getHours', [part]],
  ['getMinutes', [part]],
  ['getSeconds', [part]],
  ['getMilliseconds', [part]],
  ['int', [conversion('number')]],
  ['uint', [conversion('number')]],
  ['double', [conversion('number')]],
  ['bool', [conversion('bool')]],
  ['string', [conversion('string')]],
  ['bytes', [conversion('bytes')]],
  ['timestamp', [conversion('timestamp')]],
  ['duration', [conversion('duration')]],
  ['type', [conversion('type')]],
  ['dyn', [conversion('dyn')]],
])

/** Expanded while parsing, so that a call of this name that is left has the wrong form. */
export const macros: ReadonlySet<string> = new Set([
  'has',
  'all',
  'exists',
  'existsOne',
  'exists_one',
  'map',
  'filter',
])
