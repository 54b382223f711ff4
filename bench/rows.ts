// The rows of the table: which targets there are and what their callers carry.
import type { Issuer } from './credentials.ts'
import type { LoadPlan } from './load.ts'
import { startHaproxy } from './targets/haproxy.ts'
import { startNginxProxy } from './targets/nginx.ts'
import { startPortcullis } from './targets/portcullis.ts'
import type { Entrance } from './targets/portcullis.ts'
import type { RunningTarget, Stage } from './targets/target.ts'

/** A row before it is started. */
export interface Row {
  readonly name: string
  start(stage: Stage): Promise<StartedRow>
}

/** A row that can be measured. */
export interface StartedRow {
  readonly target: RunningTarget
  readonly credentials?: LoadPlan['credentials']
  /** Whether a request without a credential must be refused. */
  readonly isProtected: boolean
}

/** The row that all others are compared with. */
export const baseline = 'nginx plain'

// As many callers as one busy instance sees within a minute or two; all of them fit into every cache.
const warmCallers = 100

/** All rows, in the order of the table. */
export function allRows(coldTokens: number): readonly Row[] {
  return [
    nginx(baseline),
    haproxy('haproxy plain'),
    haproxy('haproxy HS256', 'HS256'),
    haproxy('haproxy RS256', 'RS256'),
    haproxy('haproxy ES256', 'ES256'),
    portcullis('portcullis node public', 'public'),
    portcullis('portcullis node api-key', 'api-key'),
    portcullis('portcullis node HS256 warm', 'hmac-token', ['HS256', warmCallers]),
    portcullis('portcullis node RS256 warm', 'token', ['RS256', warmCallers]),
    portcullis('portcullis node ES256 warm', 'token', ['ES256', warmCallers]),
    portcullis('portcullis node RS256 cold', 'token', ['RS256', coldTokens]),
    portcullis('portcullis node ES256 cold', 'token', ['ES256', coldTokens]),
    // The same thing once more: what these two rows differ by is what the machine makes up.
    nginx('nginx plain (again)'),
  ]
}

/** The rows whose name contains one of the words, and the baseline. */
export function chooseRows(rows: readonly Row[], words: readonly string[]): readonly Row[] {
  if (words.length === 0) return rows
  return rows.filter((row) => row.name === baseline || words.some((word) => row.name.includes(word)))
}

type Tokens = readonly [algorithm: Parameters<Issuer['sign']>[0], count: number]

function nginx(name: string): Row {
  return {
    name,
    start: async (stage) => ({ target: await startNginxProxy(stage, name), isProtected: false }),
  }
}

function haproxy(name: string, algorithm?: Tokens[0]): Row {
  return {
    name,
    start: async (stage) => {
      const target = await startHaproxy(stage, name, algorithm)
      if (algorithm === undefined) return { target, isProtected: false }
      return { target, isProtected: true, credentials: await bearers(stage, [algorithm, warmCallers]) }
    },
  }
}

function portcullis(name: string, entrance: Entrance, tokens?: Tokens): Row {
  return {
    name,
    start: async (stage) => {
      const target = await startPortcullis(stage, name, entrance, entrance === 'api-key' ? warmCallers : 0)
      const isProtected = entrance !== 'public'
      if (tokens !== undefined) return { target, isProtected, credentials: await bearers(stage, tokens) }
      if (!isProtected) return { target, isProtected }
      return { target, isProtected, credentials: { header: 'X-Api-Key', values: target.apiKeys } }
    },
  }
}

async function bearers(stage: Stage, [algorithm, count]: Tokens): Promise<LoadPlan['credentials']> {
  const tokens = await stage.issuer.sign(algorithm, count)
  return { header: 'Authorization', values: tokens.map((token) => `Bearer ${token}`) }
}
