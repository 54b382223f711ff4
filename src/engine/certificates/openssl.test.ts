/** The same chains before our rules and before OpenSSL's: wherever it refuses, we refuse; and what both should take, we take. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ecKeys,
  extendedKeyUsage,
  extension,
  issue,
  issueAuthority,
  issueClient,
  issueList,
  keyUsage,
  nameConstraints,
  san,
  type Made,
} from '../../../test/support/pki.ts'
import { der, derSequence } from './der-write.ts'
import { sortAuthorities } from './authorities.ts'
import { parseCertificate, type Certificate, type Path } from './certificate.ts'
import { indexLists, revocationFault } from './crl-check.ts'
import { parseRevocationList, type RevocationList } from './crl.ts'
import { findPath } from './path.ts'
import { client } from './validate.ts'

const run = promisify(execFile)
const cases = 40

/** A small generator with a seed, so that a failure can be had again. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface Chain {
  readonly root: Made
  readonly sent: readonly Made[]
  readonly leaf: Made
  readonly lists: readonly { readonly der: Buffer; readonly pem: string }[]
}

const hosts = ['a.example', 'b.a.example', 'c.example', '*.a.example']
// Not the host below the wildcard: there we refuse, and OpenSSL does not look.
const excluded = ['a.example', 'c.example']
const bounds = ['a.example', 'b.a.example', '.a.example', 'c.example']
const keys = Array.from({ length: 6 }, () => ecKeys())

/** Mostly sound, with one or two things that may be wrong anywhere. */
function make(random: () => number): Chain {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const rarely = (): boolean => random() < 0.15
  const dates = (): { notBefore?: number; notAfter?: number } =>
    random() < 0.06
      ? { notAfter: Date.now() - 5000 }
      : random() < 0.04
        ? { notBefore: Date.now() + 3_600_000 }
        : {}
  const odd = (): Buffer[] =>
    [
      ...(rarely() ? [pick([keyUsage(5, 6), keyUsage(0), keyUsage(6)])] : []),
      ...(rarely()
        ? [extension('2.5.29.19', pick([derSequence(), derSequence(Buffer.from([1, 1, 0xff]))]), true)]
        : []),
      ...(rarely()
        ? [pick([extendedKeyUsage('1.3.6.1.5.5.7.3.2'), extendedKeyUsage('1.3.6.1.5.5.7.3.1')])]
        : []),
      ...(rarely() ? [nameConstraints([san.dns(pick(bounds))])] : []),
      ...(rarely() ? [nameConstraints([], [san.dns(pick(excluded))])] : []),
      ...(random() < 0.05 ? [extension('1.2.3.4', der(0x05), true)] : []),
    ].slice(0, 1)
  const root = issueAuthority({ subject: 'root', keys: pick(keys), ...dates() })
  const all = [root]
  const depth = Math.floor(random() * 4)
  for (let at = 0; at < depth; at += 1) {
    const above = random() < 0.08 ? pick(all) : all.at(-1)!
    const length = rarely() ? { pathLength: Math.floor(random() * 3) } : {}
    all.push(
      issueAuthority({
        subject: `ca${at}`,
        issuer: above,
        keys: pick(keys),
        extensions: odd(),
        ...length,
        ...dates(),
      }),
    )
  }
  const issuer = all.at(-1)!
  const extensions = [
    ...(rarely() ? [pick([keyUsage(0), keyUsage(2), keyUsage(4)])] : []),
    ...(rarely()
      ? [pick([extendedKeyUsage('1.3.6.1.5.5.7.3.1'), extendedKeyUsage('1.3.6.1.5.5.7.3.2')])]
      : []),
    ...(random() < 0.05 ? [extension('1.2.3.4', der(0x05), true)] : []),
  ].slice(0, 1)
  const names = [san.dns(pick(hosts)), ...(rarely() ? [san.dns(pick(hosts))] : [])]
  const leaf =
    random() < 0.05
      ? issue({ subject: 'leaf', issuer, extensions: [] })
      : issueClient({ subject: 'leaf', issuer, names, extensions, ...dates() })
  const sent = all.slice(1).filter(() => random() > 0.04)
  const lists =
    random() < 0.4
      ? all
          .filter(() => random() > 0.1)
          .map((each) =>
            issueList({
              issuer: each,
              revoked: random() < 0.12 ? [leaf, ...all.slice(1)].filter(() => random() < 0.3) : [],
              ...(random() < 0.05 ? { nextUpdate: Date.now() - 5000 } : {}),
              ...(random() < 0.04 ? { keys: ecKeys() } : {}),
            }),
          )
      : []
  return { root, sent, leaf, lists }
}

describe('beside OpenSSL', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-openssl-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('no chain is taken that it refuses, and most that it takes are', { timeout: 60_000 }, async () => {
    const random = seeded(20_261_124)
    const taken = { both: 0, neither: 0, onlyOurs: [] as string[], onlyTheirs: [] as string[] }
    const made = Array.from({ length: cases }, () => make(random))
    const theirs = await inParallel(made, 4, (chain, at) => askOpenssl(folder, at, chain))
    for (const [at, chain] of made.entries()) {
      const our = ask(chain)
      const their = theirs[at]!
      if (our === 'good' && their === 'good') taken.both += 1
      else if (our !== 'good' && their !== 'good') taken.neither += 1
      else if (our === 'good') taken.onlyOurs.push(`${at}: ${their}`)
      else taken.onlyTheirs.push(`${at}: ${our}`)
    }
    expect(taken.onlyOurs).toEqual([])
    expect(taken.onlyTheirs).toEqual([])
    // A test in which all were refused would say little.
    expect(taken.both).toBeGreaterThan(cases / 8)
    expect(taken.neither).toBeGreaterThan(cases / 8)
  })
})

function ask({ root, sent, leaf, lists }: Chain): string {
  const parsed = (each: Made): Certificate | string => parseCertificate(each.der)
  const own = parsed(leaf)
  if (typeof own === 'string') return own
  const companions = sent.map(parsed).filter((each) => typeof each !== 'string')
  const authorities = sortAuthorities([parsed(root)].filter((each) => typeof each !== 'string'))
  const now = Date.now()
  const index = indexLists(
    lists
      .map((each) => parseRevocationList(each.der))
      .filter((each): each is RevocationList => typeof each !== 'string'),
  )
  const judge = (path: Path): ReturnType<typeof revocationFault> =>
    revocationFault(path, { lists: index, authorities, sent: companions, scope: 'chain', now })
  const answer = findPath({
    leaf: own,
    sent: companions,
    authorities,
    now,
    role: client,
    ...(lists.length === 0 ? {} : { judge }),
  })
  return answer.fault === undefined ? 'good' : `${answer.fault.reason}: ${answer.fault.detail}`
}

async function askOpenssl(folder: string, at: number, { root, sent, leaf, lists }: Chain): Promise<string> {
  const file = async (name: string, content: string): Promise<string> => {
    const path = join(folder, `${at}-${name}.pem`)
    await writeFile(path, content)
    return path
  }
  const args = ['verify', '-purpose', 'sslclient', '-no-CApath', '-no-CAstore']
  args.push('-CAfile', await file('root', root.pem))
  if (sent.length > 0) args.push('-untrusted', await file('sent', sent.map(({ pem }) => pem).join('')))
  if (lists.length > 0)
    args.push('-crl_check_all', '-CRLfile', await file('lists', lists.map(({ pem }) => pem).join('')))
  args.push(await file('leaf', leaf.pem))
  return run('openssl', args).then(
    () => 'good',
    (error: unknown) => String((error as { stderr?: string }).stderr).trim() || 'failed',
  )
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item, at: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next
      next += 1
      results[at] = await work(items[at]!, at)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}
