/** The guides say what the code does: their configurations load, their conditions compile, their links lead somewhere. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { formatFaults, loadConfiguration } from '../src/config/load.ts'
import { checkCondition } from '../src/engine/authorization/cel/condition.ts'
import { checksAcrossRooms } from '../src/gateway/checks.ts'

const root = join(import.meta.dirname, '..')
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
  join('examples', 'README.md'),
]

/** Fenced blocks of one language. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w+)[^\n]*\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , body]) => body!)
}

/** What fragments may refer to; a fragment's own sections win, name by name. */
const surroundings = {
  version: 1,
  publicUrl: 'https://api.example.com',
  providers: { corp: { type: 'oidc', issuer: 'https://login.example.com' } },
  authenticators: {
    'corp-token': { type: 'jwt', provider: 'corp', audience: 'https://api.example.com', maxLifetime: '1h' },
    'partner-keys': { type: 'api-key' },
  },
  upstreams: { catalog: { targets: ['http://127.0.0.1:7001'] } },
  routes: [
    {
      id: 'any',
      match: { path: '/any' },
      authenticate: ['corp-token'],
      authorize: {},
      upstream: 'catalog',
    },
  ],
}
const named = ['providers', 'authenticators', 'upstreams'] as const

function complete(fragment: Record<string, unknown>): Record<string, unknown> {
  const whole: Record<string, unknown> = { ...surroundings, ...fragment }
  for (const section of named) {
    whole[section] = { ...surroundings[section], ...(fragment[section] as object | undefined) }
  }
  return whole
}

describe('configurations in the guides', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-guides-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const fragments = pages.flatMap((page) =>
    blocks(page, 'yaml').map((body, index) => [`${page}, block ${index + 1}`, body] as const),
  )

  it('are there', () => {
    expect(fragments.length).toBeGreaterThan(25)
  })

  it.each(fragments)('%s', async (_, body) => {
    const file = join(folder, 'portcullis.yaml')
    await writeFile(file, stringify(complete(parse(body) as Record<string, unknown>)))
    const result = await loadConfiguration(file, {
      env: {},
      standIns: true,
      extraChecks: [checksAcrossRooms],
    })
    expect(result.ok ? '' : formatFaults(result.faults)).toBe('')
  })
})

describe('conditions in the guides', () => {
  const conditions = pages.flatMap((page) => blocks(page, 'cel').flatMap((body) => body.trim().split('\n')))

  it.each(conditions)('%s', (condition) => {
    expect(checkCondition(condition)).toBeUndefined()
  })
})

describe('links between pages', () => {
  it.each(pages)('in %s lead to pages and headings that are there', (page) => {
    const text = withoutCode(readFileSync(join(root, page), 'utf8'))
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !leads(page, link))
    expect(broken).toEqual([])
  })

  function leads(page: string, link: string): boolean {
    if (/^https?:/.test(link)) return true
    const [path = '', heading] = link.split('#')
    const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
    if (relative(root, file).startsWith('..') || !existsSync(file)) return false
    return heading === undefined || anchors(readFileSync(file, 'utf8')).includes(heading)
  }

  /** As GitHub makes them. */
  function anchors(text: string): string[] {
    return [...withoutCode(text).matchAll(/^#{1,6} (.*)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    )
  }

  function withoutCode(text: string): string {
    return text.replaceAll(/^```.*?^```$/gms, '')
  }
})

describe('decision records', () => {
  const records = readdirSync(join(root, 'docs', 'decisions')).filter((name) => name !== 'README.md')

  it('have a number of their own and say it in their title', () => {
    const numbers = records.map((name) => name.slice(0, 4))
    expect(new Set(numbers).size).toBe(records.length)
    for (const name of records) {
      expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/)
      const text = readFileSync(join(root, 'docs', 'decisions', name), 'utf8')
      expect(text, name).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. `))
      expect(text, name).toContain('**Decision')
    }
  })
})
