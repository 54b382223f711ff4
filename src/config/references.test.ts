import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resolveReferences, type Resolution } from './references.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-references-'))
  await writeFile(join(folder, 'one-break'), 'secret\n')
  await writeFile(join(folder, 'windows-break'), 'secret\r\n')
  await writeFile(join(folder, 'two-breaks'), 'secret\n\n')
  await writeFile(join(folder, 'empty'), '\n')
  await writeFile(join(folder, 'huge'), '')
  await truncate(join(folder, 'huge'), 2 * 1024 * 1024)
  await symlink(join(folder, 'one-break'), join(folder, 'link'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const env = { NAME: 'value', EMPTY: '', NESTED: '${env:NAME}' }
const resolve = (tree: unknown, standIns = false): Promise<Resolution> =>
  resolveReferences(tree, { env, folder, standIns })

describe('references', () => {
  it.each([
    ['${env:NAME}', 'value'],
    ['a-${env:NAME}-${env:NAME}-z', 'a-value-value-z'],
    ['${file:one-break}', 'secret'],
    ['${file:./windows-break}', 'secret'],
    ['${file:two-breaks}', 'secret\n'],
    ['${file:link}', 'secret'],
    ['$${env:NAME}', '${env:NAME}'],
    ['$$${env:NAME}', '$${env:NAME}'],
    ['costs $5 and {braces}', 'costs $5 and {braces}'],
  ])('%s becomes %j', async (text, becomes) => {
    const { value, complaints } = await resolve({ a: [text] })
    expect(complaints).toEqual([])
    expect(value).toEqual({ a: [becomes] })
  })

  it('are not looked for in what they stand for', async () => {
    expect((await resolve('${env:NESTED}')).value).toBe('${env:NAME}')
  })

  it.each([
    ['${env:NOWHERE}', 'the environment variable NOWHERE is not set'],
    ['${env:EMPTY}', 'the environment variable EMPTY is empty'],
    ['${env:constructor}', 'the environment variable constructor is not set'],
    ['${file:nowhere}', 'the file nowhere does not exist'],
    ['${file:empty}', 'the file empty is empty'],
    ['${file:huge}', 'the file huge is larger than 1MiB'],
    ['${file:.}', '. is not a file'],
    ['${file:one-break/below}', 'the file one-break/below does not exist'],
    ['${NAME}', 'this is no reference'],
    ['${vault:name}', 'this is no reference'],
    ['${env:}', 'this is no reference'],
    ['${env:A B}', 'this is no reference'],
    ['${env:NAME', 'a reference does not end'],
  ])('%s is refused: %s', async (text, message) => {
    const { complaints } = await resolve({ a: { b: text } })
    expect(complaints).toMatchObject([{ path: ['a', 'b'], message }])
  })

  it('to several things that are missing are all refused', async () => {
    const { complaints } = await resolve('${env:ONE} ${env:TWO}')
    expect(complaints.map(({ message }) => message)).toEqual([
      'the environment variable ONE is not set',
      'the environment variable TWO is not set',
    ])
  })

  it('to files say which, so that a change is seen', async () => {
    expect((await resolve(['${file:one-break}', '${file:nowhere}'])).files).toEqual([
      join(folder, 'one-break'),
      join(folder, 'nowhere'),
    ])
  })

  it('that are stood in for give a notice, and never the same text for two names', async () => {
    const { value, complaints, notices } = await resolve(
      { a: '${env:ONE}', b: '${env:TWO}', c: '${env:NAME}' },
      true,
    )
    expect(complaints).toEqual([])
    expect(notices).toEqual([
      'a: the environment variable ONE is not set; something else stands in for it',
      'b: the environment variable TWO is not set; something else stands in for it',
    ])
    const { a, b, c } = value as Record<string, string>
    expect([a === b, c]).toEqual([false, 'value'])
  })
})
