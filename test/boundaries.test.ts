/** Who may import whom: DESIGN as data. Each rule carries its reason, and a failure prints it. */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', 'src')

/** Room → rooms it may import from (besides itself). A room is the first folder, or the file itself at the top. */
const rules: Record<string, { readonly may: readonly string[]; readonly because: string }> = {
  'configuration.ts': {
    may: ['engine'],
    because: 'types that every room reads; it must not drag code along',
  },
  'exchange.ts': { may: ['configuration.ts', 'engine'], because: 'the vocabulary of a request in flight' },
  ports: { may: [], because: 'interfaces that everyone may import must depend on nobody' },
  engine: {
    may: ['ports', 'configuration.ts'],
    because: 'the engine is pure: time, keys and stores come in through ports',
  },
  config: {
    may: ['engine', 'ports', 'configuration.ts'],
    because: 'it reads and validates; stages compile their own part',
  },
  routing: {
    may: ['engine', 'ports', 'configuration.ts', 'exchange.ts'],
    because: 'stage rooms never know each other',
  },
  limits: {
    may: ['engine', 'ports', 'configuration.ts', 'exchange.ts'],
    because: 'stage rooms never know each other',
  },
  propagation: {
    may: ['engine', 'ports', 'configuration.ts', 'exchange.ts'],
    because: 'stage rooms never know each other',
  },
  wire: {
    may: ['engine'],
    because: 'bytes and their grammar: it knows no socket, no configuration and no request in flight',
  },
  http2: {
    may: [],
    because: 'streams and their content: it does not know which side of the gateway they are on',
  },
  upstream: {
    may: ['engine', 'ports', 'configuration.ts', 'exchange.ts', 'wire', 'http2'],
    because: 'stage rooms never know each other',
  },
  server: {
    may: ['engine', 'ports', 'configuration.ts', 'exchange.ts', 'wire', 'http2'],
    because: 'stage rooms never know each other',
  },
  audit: {
    may: ['engine', 'ports', 'configuration.ts', 'exchange.ts'],
    because: 'stage rooms never know each other',
  },
  stores: { may: ['ports', 'engine'], because: 'an adapter knows its port and its driver' },
  remote: {
    may: ['ports', 'engine', 'configuration.ts'],
    because: 'an adapter knows its port and its driver',
  },
  trust: {
    may: ['engine'],
    because: 'it reads files and hands what they say to the engine, which alone judges',
  },
  telemetry: { may: ['ports'], because: 'an adapter knows its port and its driver' },
  keys: {
    may: ['ports', 'engine', 'configuration.ts'],
    because: 'key management serves the CLI and the admin API alike',
  },
  login: {
    may: ['ports', 'engine', 'configuration.ts', 'exchange.ts'],
    because: 'a room: it is handed its way out to providers, and never dials by itself',
  },
  'admin-api': {
    may: ['ports', 'engine', 'configuration.ts', 'keys'],
    because: 'a room: it is handed what it shows, and never reaches into the data path',
  },
  'dev-idp': {
    may: [],
    because: 'it stands for somebody else: sharing code with the gateway would hide faults of both',
  },
  'sample-catalog': {
    may: [],
    because: 'it stands for somebody else: sharing code with the gateway would hide faults of both',
  },
}

/** These put the rooms together. */
const composers = new Set(['main.ts', 'pipeline.ts', 'gateway', 'cli', 'index.ts'])

/** Packages that only one place may name. */
const drivers: Record<string, readonly string[]> = {
  'node:sqlite': ['stores/sqlite/', 'audit/'],
  undici: ['upstream/', 'remote/'],
  fastify: ['admin-api/'],
  'openid-client': ['login/'],
  'oidc-provider': ['dev-idp/'],
  pino: ['telemetry/'],
  yaml: ['config/'],
  'structured-headers': ['engine/'],
  commander: ['cli/'],
  '@bufbuild/cel': ['engine/authorization/'],
  '@bufbuild/re2': ['engine/authorization/'],
}

interface Import {
  readonly file: string
  readonly target: string
}

const files = sourceFiles(root)
const imports = files.flatMap(importsOf)

describe('rooms', () => {
  it('are all named in the rules', () => {
    const rooms = new Set(files.map(roomOf).filter((room) => !composers.has(room)))
    expect([...rooms].filter((room) => rules[room] === undefined)).toEqual([])
  })

  it.each(Object.entries(rules))('%s imports only what it may', (room, { may, because }) => {
    const broken = imports
      .filter(({ file }) => roomOf(file) === room)
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, target }) => ({ file, to: relative(root, join(root, dirname(file), target)) }))
      .filter(({ to }) => roomOf(to) !== room && !may.includes(roomOf(to)))
      .map(({ file, to }) => `${file} imports ${to}: ${because}`)
    expect(broken).toEqual([])
  })

  it.each(Object.entries(drivers))('%s is named only where it is driven', (driver, places) => {
    const broken = imports
      .filter(({ target }) => target === driver || target.startsWith(`${driver}/`))
      .filter(({ file }) => !places.some((place) => file.startsWith(place)))
    expect(broken).toEqual([])
  })

  it('have no import cycles between files', () => {
    expect(findCycle()).toBeUndefined()
  })

  it('each have a README', () => {
    const rooms = new Set(files.map(roomOf).filter((room) => !room.endsWith('.ts')))
    const without = [...rooms].filter((room) => !readdirSync(join(root, room)).includes('README.md'))
    expect(without).toEqual([])
  })
})

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter(
      (file) => !file.endsWith('.test.ts') && !file.includes('/contract/') && !file.includes('/testing/'),
    )
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? file
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = text.matchAll(
    /^\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|import\('([^']+)'\)/gm,
  )
  return [...found].map((match) => ({ file, target: match[1] ?? match[2] ?? match[3] ?? '' }))
}

function findCycle(): string | undefined {
  const edges = new Map<string, string[]>()
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    const targets = [...text.matchAll(/^\s*(?:import|export)\s(?!type\b)[^'"]*?from\s+'(\.[^']+)'/gm)]
    edges.set(
      file,
      targets.map((match) =>
        relative(root, join(root, dirname(file), match[1] ?? ''))
          .split(sep)
          .join('/'),
      ),
    )
  }
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file].join(' → ')
    if (done.has(file)) return undefined
    for (const next of edges.get(file) ?? []) {
      const cycle = visit(next, [...trail, file])
      if (cycle !== undefined) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of files) {
    const cycle = visit(file, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
