/** Wrong configurations and what is said about them. `UPDATE_GOLDEN=1` writes the answers anew: read them before they are kept. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatFaults, loadConfiguration } from '../../src/config/load.ts'

const folder = join(import.meta.dirname, 'config')
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.in.yaml'))
  .map((file) => file.slice(0, -'.in.yaml'.length))

const env = {
  HMAC_SECRET: 'correct-horse-battery-staple-and-more',
  SHORT_SECRET: 'correct-horse',
  PUBLIC_KEY:
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----',
}

describe('what is said about a wrong configuration', () => {
  it('has a case for every kind of mistake', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40)
  })

  it.each(cases)('%s', async (name) => {
    const result = await loadConfiguration(join(folder, `${name}.in.yaml`), { env })
    expect(result.ok).toBe(false)
    const said = `${formatFaults(result.ok ? [] : result.faults)}\n`
      .replaceAll(`${folder}/`, '<folder>/')
      .replaceAll(`${relative(process.cwd(), folder)}/`, '')
    const answer = join(folder, `${name}.out.txt`)
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(answer, said)
    expect(said).toBe(readFileSync(answer, 'utf8'))
    for (const secret of ['hunter2', 'too-short-to-be-one', '123456789', ...Object.values(env)])
      expect(said).not.toContain(secret)
  })
})
