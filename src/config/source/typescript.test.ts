import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const loader = join(import.meta.dirname, '..', 'load.ts')

/** In a process of its own: the test runner has module hooks of its own, and what is tested are Node's. */
const script = `
import { writeFileSync } from 'node:fs'
import { loadConfiguration } from ${JSON.stringify(loader)}
const say = (result) => console.log(JSON.stringify(result.ok
  ? { origins: result.configuration.publicUrl, files: result.files, audience: result.configuration.authenticators.token.audience }
  : { faults: result.faults }))
const [file, ...changes] = process.argv.slice(1)
say(await loadConfiguration(file, { env: {} }))
for (let at = 0; at < changes.length; at += 2) {
  writeFileSync(changes[at], changes[at + 1])
  say(await loadConfiguration(file, { env: {} }))
}
`

const body = `{
  version: 1,
  publicUrl: url,
  providers: { corp: { type: 'google' } },
  authenticators: { token: { type: 'jwt', provider: 'corp', audience } },
  upstreams: { catalog: { targets: ['http://127.0.0.1:7001'], tls: undefined } },
  routes: [{ id: 'a', match: { path: '/a' }, authenticate: ['token'], upstream: 'catalog' }],
}`

describe('a TypeScript configuration', { timeout: 60_000 }, () => {
  let folder: string
  let file: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-ts-'))
    file = join(folder, 'portcullis.config.ts')
  })

  afterEach(() => rm(folder, { recursive: true, force: true }))

  const write = (name: string, content: string): Promise<void> => writeFile(join(folder, name), content)
  const load = async (...changes: string[]): Promise<Record<string, unknown>[]> => {
    const { stdout, stderr } = await run(
      process.execPath,
      ['--input-type=module', '--eval', script, file, ...changes],
      { cwd: folder },
    )
    expect(stderr).toBe('')
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  it.each([
    ['without a package.json', undefined],
    ['of CommonJS', '{ "type": "commonjs" }'],
    ['that does not say what it is', '{ "name": "project" }'],
    ['of ES modules', '{ "type": "module" }'],
  ])('loads in a project %s, where Portcullis is not installed', async (_, manifest) => {
    if (manifest !== undefined) await write('package.json', manifest)
    await write(
      'portcullis.config.ts',
      `import { defineConfig } from 'portcullis'\nconst url: string = 'https://api.example.com'\nconst audience = 'api' as const\nexport default defineConfig(${body})\n`,
    )
    expect(await load()).toMatchObject([{ origins: ['https://api.example.com'], audience: ['api'] }])
  })

  it('uses the Portcullis of the project where there is one', async () => {
    await mkdir(join(folder, 'node_modules', 'portcullis'), { recursive: true })
    await write(
      'node_modules/portcullis/package.json',
      '{ "name": "portcullis", "type": "module", "exports": "./index.js" }',
    )
    await write(
      'node_modules/portcullis/index.js',
      "export const defineConfig = (given) => ({ ...given, publicUrl: 'https://installed.example' })",
    )
    await write(
      'portcullis.config.ts',
      `import { defineConfig } from 'portcullis'\nconst url = 'https://a.example', audience = 'api'\nexport default defineConfig(${body} as never)\n`,
    )
    expect(await load()).toMatchObject([{ origins: ['https://installed.example'] }])
  })

  it('is fresh at each load, with all that it imports by a relative path, in a CommonJS project', async () => {
    await write('package.json', '{ "type": "commonjs" }')
    await write(
      'shared.ts',
      "import { host } from './deep/host'\nexport const url: string = `https://${host}`\n",
    )
    await mkdir(join(folder, 'deep'))
    await write('deep/host.ts', "export const host: string = 'one.example'\n")
    await write('legacy.js', "module.exports = { audience: 'one' }\n")
    await write(
      'portcullis.config.ts',
      `import { url } from './shared.js'\nimport legacy from './legacy.js'\nconst { audience } = legacy\nexport default ${body}\n`,
    )
    const results = await load(
      join(folder, 'deep/host.ts'),
      "export const host: string = 'two.example'\n",
      join(folder, 'legacy.js'),
      "module.exports = { audience: 'two' }\n",
    )
    expect(results).toMatchObject([
      { origins: ['https://one.example'], audience: ['one'] },
      { origins: ['https://two.example'], audience: ['one'] },
      { origins: ['https://two.example'], audience: ['two'] },
    ])
    expect(results[0]?.['files']).toEqual(
      ['portcullis.config.ts', 'shared.ts', 'deep/host.ts', 'legacy.js'].map((name) => join(folder, name)),
    )
  })

  it('has faults with the path of the key, without line and column', async () => {
    await write(
      'portcullis.config.ts',
      `const url = 'api.example.com', audience = 'api'\nexport default ${body}\n`,
    )
    const [{ faults }] = (await load()) as [{ faults: Record<string, unknown>[] }]
    expect(faults).toEqual([
      {
        file: 'portcullis.config.ts',
        path: 'publicUrl',
        message: 'not accepted',
        found: 'the text "api.example.com"',
        expected:
          'an origin: scheme and host, such as https://api.example.com, without a path; or a list of them',
        suggestion: 'https://api.example.com',
      },
    ])
  })

  const refused: readonly (readonly [source: string, fault: Record<string, unknown>])[] = [
    [
      'export const a = 1',
      { message: 'the file has no default export', expected: 'export default defineConfig({ … })' },
    ],
    [
      'const a = 1\n\nthrow new Error("no audience for you")',
      { message: 'the file failed while it ran: no audience for you', line: 3 },
    ],
    ['export default nowhere', { message: 'the file failed while it ran: nowhere is not defined', line: 1 }],
    ['const a: string = ;', { message: 'not valid TypeScript: Expression expected' }],
    [
      'enum Kind { A }\nexport default Kind',
      { message: 'enums, namespaces and parameter properties cannot be used here' },
    ],
    ['export default () => ({})', { message: 'a function has no meaning here' }],
    [
      'export default { version: 1, routes: [() => 1] }',
      { path: 'routes[0]', message: 'a function has no meaning here' },
    ],
    ['export default { version: Infinity }', { path: 'version', message: 'this number is not finite' }],
    [
      'export default { version: new Map() }',
      { path: 'version', message: 'an object of a class has no meaning here' },
    ],
    [
      'const a: Record<string, unknown> = {}\na.b = a\nexport default a',
      { path: 'b', message: 'the value contains itself' },
    ],
    [
      'export default JSON.parse(\'{"__proto__": {}}\')',
      { path: '__proto__', message: 'this name is not allowed' },
    ],
  ]

  it('is refused in words where it is no configuration', async () => {
    await write('portcullis.config.ts', 'export default {}')
    // One process for all: each is loaded anew.
    const [, ...results] = await load(...refused.flatMap(([source]) => [file, source]))
    for (const [index, [source, fault]] of refused.entries()) {
      const { faults } = results[index] as { faults: Record<string, unknown>[] }
      expect([source, faults]).toMatchObject([source, [fault]])
    }
  })

  it('says which import is not there', async () => {
    await write('portcullis.config.ts', "import './nowhere.ts'\nexport default {}\n")
    const [{ faults }] = (await load()) as [{ faults: { message: string }[] }]
    expect(faults[0]?.message).toMatch(/^an import is not there: .*nowhere\.ts/)
  })
})
