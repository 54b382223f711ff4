import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { genesis } from '../format/chain.ts'
import { checkpointLineHash, readCheckpoint } from '../format/checkpoint.ts'
import { CheckpointFile } from './checkpoint-file.ts'
import { findCheckpointAfter, findLastCheckpoint } from './find-checkpoint.ts'

const { privateKey } = generateKeyPairSync('ed25519')
const signer = { id: '0123456789abcdef', privateKey }
let root: string
let path: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'portcullis-audit-'))
  path = join(root, 'checkpoints.log')
})
afterEach(() => rm(root, { recursive: true }))

/** Checkpoints of records 10, 20, 30, … */
async function write(count: number): Promise<string[]> {
  const file = await CheckpointFile.open(path, signer, { size: 0 })
  for (let number = 1; number <= count; number++) {
    await file.sign({ seq: number * 10, hash: genesis }, '2026-11-24T16:00:00.000Z')
  }
  await file.close()
  return (await readFile(path, 'utf8')).split('\n').slice(0, -1)
}

describe('finding in the checkpoints', () => {
  it('finds the first one after any seq', async () => {
    const lines = await write(60)
    const size = lines.join('\n').length + 1
    for (let seq = 0; seq < 10; seq++) expect(await findCheckpointAfter(path, size, seq)).toBeUndefined()
    for (let seq = 10; seq <= 610; seq++) {
      const before = Math.min(60, Math.floor(seq / 10))
      const offset = lines.slice(0, before).join('\n').length + 1
      const lineHash = checkpointLineHash(lines[before - 1] as string)
      expect(await findCheckpointAfter(path, size, seq)).toEqual({ offset, seq: before * 10, lineHash })
    }
  })

  it('leaves a file alone that holds lines that are none', async () => {
    await writeFile(path, 'nonsense\n'.repeat(1000))
    expect(await findCheckpointAfter(path, 9000, 5)).toBeUndefined()
  })

  it('finds the last whole one, also before a torn line, and none where there is none', async () => {
    expect(await findLastCheckpoint(path)).toEqual({ size: 0 })
    const lines = await write(9)
    const { size } = await findLastCheckpoint(path)
    await writeFile(path, '{"checkpoint":1,"se', { flag: 'a' })
    const found = await findLastCheckpoint(path)
    expect(found).toEqual({ size, last: { checkpoint: readCheckpoint(lines[8] as string), line: lines[8] } })
  })

  it('goes on from a trimmed file as if nothing had gone', async () => {
    await write(200)
    const file = await CheckpointFile.open(path, signer, await findLastCheckpoint(path))
    expect(await file.planTrim(500)).toBeUndefined()
    const trim = await file.planTrim(1505)
    expect(trim).toMatchObject({ seq: 1500 })
    const before = file.size
    await file.trim(trim!)
    expect(file.size).toBe(before - trim!.offset)
    await file.sign({ seq: 2010, hash: genesis }, '2026-11-24T16:00:01.000Z')
    await file.close()
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1)
    expect(readCheckpoint(lines[0] as string)).toMatchObject({ seq: 1510, previous: trim!.lineHash })
    expect(lines).toHaveLength(51)
    const [last, end] = lines.slice(-2) as [string, string]
    expect(readCheckpoint(end)?.previous).toBe(checkpointLineHash(last))
  })
})
