// The rows as the page and the chart arrange them: by the question that they answer together.
import type { ResultRow } from './result.ts'
import { nodePeers } from './targets/node-peers.ts'

/** Rows that are to be compared with each other. */
export interface Section {
  readonly title: string
  readonly rows: readonly ResultRow[]
}

/** Whose row it is. */
export type Family = 'proxy' | 'wire' | 'node' | 'peer'

const wireAndNode = (label: string): string[] => [`portcullis wire ${label}`, `portcullis node ${label}`]

const questions: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['No authentication', ['nginx plain', 'nginx plain (again)', 'haproxy plain', ...wireAndNode('public')]],
  [
    'A caller who is known already',
    [
      ...['api-key', 'HS256 warm', 'RS256 warm', 'ES256 warm'].flatMap(wireAndNode),
      'haproxy HS256',
      'haproxy RS256',
      'haproxy ES256',
      'nginx lua HS256',
    ],
  ],
  [
    'Every token new',
    [
      ...['RS256 cold', 'ES256 cold', 'RS256 strangers'].flatMap(wireAndNode),
      'haproxy RS256 cold',
      'haproxy ES256 cold',
    ],
  ],
  ['A new proof with each request', wireAndNode('DPoP warm')],
  ['Each event on disk before the request goes on', wireAndNode('audit strict')],
  ['TLS towards the caller', ['nginx TLS', 'haproxy TLS', ...wireAndNode('TLS')]],
  [
    'Gateways and proxies for Node.js',
    ['portcullis wire HS256 warm', 'portcullis node HS256 warm', ...nodePeers.map((peer) => `${peer} HS256`)],
  ],
]

/** Sections that have rows; a row may stand in two. */
export function arrange(rows: readonly ResultRow[]): readonly Section[] {
  const byName = new Map(rows.map((row) => [row.name, row]))
  return questions
    .map(([title, names]) => ({
      title,
      rows: names.map((name) => byName.get(name)).filter((row) => row !== undefined),
    }))
    .filter(({ rows }) => rows.length > 0)
}

const growth = /^portcullis (?:wire|node) (?:routes|keys|revocations) /

/** Rows about many routes, keys and revocations. */
export function growthOf(rows: readonly ResultRow[]): readonly ResultRow[] {
  return rows.filter(({ name }) => growth.test(name))
}

export function familyOf(name: string): Family {
  if (name.startsWith('portcullis wire ')) return 'wire'
  if (name.startsWith('portcullis node ')) return 'node'
  return nodePeers.some((peer) => name.startsWith(`${peer} `)) ? 'peer' : 'proxy'
}
