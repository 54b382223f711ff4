/** A configuration file that was made to hurt whoever reads it. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfiguration, type Fault } from '../../src/config/load.ts'

let folder: string
let count = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-attack-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function faultsOf(source: string): Promise<readonly Fault[]> {
  const file = join(folder, `${++count}.yaml`)
  await writeFile(file, source)
  const result = await loadConfiguration(file, { env: {} })
  expect(result.ok).toBe(false)
  return result.ok ? [] : result.faults
}

describe('aliases that repeat each other (billion laughs)', () => {
  it('are refused before they fill the memory', async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const inside =
        level === 0
          ? 'lol'
          : Array(10)
              .fill(`*a${level - 1}`)
              .join(', ')
      return `a${level}: &a${level} [${inside}]`
    })
    const before = process.memoryUsage().heapUsed
    expect(await faultsOf(levels.join('\n'))).toMatchObject([
      { message: expect.stringMatching(/^too many values/) },
    ])
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(256 * 1024 * 1024)
  })

  it('are refused as mappings and keys, too', async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const inside =
        level === 0 ? 'x: 1' : Array.from({ length: 9 }, (_, at) => `k${at}: *b${level - 1}`).join(', ')
      return `b${level}: &b${level} { ${inside} }`
    })
    expect(await faultsOf(levels.join('\n'))).toMatchObject([
      { message: expect.stringMatching(/^too many values/) },
    ])
    expect(await faultsOf('? [a, b]\n: 1\n')).toMatchObject([{ message: 'a key must be text' }])
  })

  it('that contain themselves are refused', async () => {
    const faults = await faultsOf('version: &a { b: *a }')
    expect(faults.map(({ path, message }) => `${path}: ${message}`)).toContain(
      'version.b: the alias *a means itself, or nothing before it',
    )
  })
})

describe('nesting without end', () => {
  it.each([
    ['lists in brackets', '['.repeat(100_000)],
    ['closed lists in brackets', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['mappings in brackets', '{a: '.repeat(50_000)],
    ['lists in lines', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}-`).join('\n')],
    ['mappings in lines', Array.from({ length: 2000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ])('of %s is refused, and the process lives', async (_, source) => {
    const [fault] = await faultsOf(source)
    expect(fault?.message).toMatch(/nested too deeply|not valid YAML/)
  })
})

describe('names that poison objects', () => {
  it.each(['__proto__', 'constructor', 'prototype'])('%s is refused at every level', async (name) => {
    const faults = await faultsOf(
      `version: 1\n${name}: { polluted: true }\nproviders: { ${name}: { type: google } }\nroutes: [{ match: { headers: { ${name}: x } } }]\n`,
    )
    const refused = faults.filter(({ message }) => message !== 'missing')
    expect(refused.map(({ path, message }) => [path, message])).toEqual([
      [name, 'this name is not allowed'],
      [`providers.${name}`, 'this name is not allowed'],
      [`routes[0].match.headers.${name}`, 'this name is not allowed'],
    ])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('are not found behind references and names either', async () => {
    const faults = await faultsOf(`version: 1
admin: { token: "\${env:__proto__}" }
providers: { corp: { type: google } }
authenticators: { token: { type: jwt, provider: toString, audience: a } }
upstreams: { catalog: { targets: [http://127.0.0.1:1] } }
routes: [{ id: a, match: { path: /a }, authenticate: [hasOwnProperty], upstream: valueOf }]
`)
    expect(faults.map(({ path }) => path)).toEqual([
      'admin.token',
      'authenticators.token.provider',
      'routes[0].authenticate[0]',
      'routes[0].upstream',
    ])
  })
})

describe('files that are no configurations', () => {
  it('are refused by their size before they are read', async () => {
    const file = join(folder, 'huge.yaml')
    await writeFile(file, 'version: 1\n')
    await truncate(file, 3 * 1024 ** 3)
    const started = performance.now()
    const result = await loadConfiguration(file, { env: {} })
    expect(result.ok ? [] : result.faults).toMatchObject([{ message: 'the file is larger than 5MiB' }])
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('are refused where they are not text', async () => {
    const file = join(folder, 'binary.yaml')
    await writeFile(file, Uint8Array.of(0xff, 0xfe, 0x00, 0x80))
    const result = await loadConfiguration(file, { env: {} })
    expect(result.ok ? [] : result.faults).toMatchObject([{ message: 'the file is not UTF-8 text' }])
  })

  it('are refused as devices and folders, also behind a reference', async () => {
    for (const path of ['/dev/zero', '/dev', folder]) {
      const faults = await faultsOf(`version: 1\nadmin: { token: "\${file:${path}}" }\nroutes: []\n`)
      expect(faults[0]).toMatchObject({ path: 'admin.token', message: `${path} is not a file` })
    }
  })

  it('with very many keys are read in time that grows with their number, not with its square', async () => {
    const names = Array.from({ length: 60_000 }, (_, at) => `name${at}: 1`).join('\n')
    const started = performance.now()
    await faultsOf(names)
    expect(performance.now() - started).toBeLessThan(30_000)
  }, 40_000)
})

describe('texts that would move a terminal’s cursor', () => {
  it('are shown escaped', async () => {
    const faults = await faultsOf('version: "\\e[2J\\u202e\\u0007"\nroutes: []\n')
    expect(faults[0]?.found).toBe('the text "\\u001b[2J\\u202e\\u0007"')
  })
})
