/** What stands in for an unresolved reference where no production secret is needed (`check`, `test`, `diff`, `explain`). */
import { createHash } from 'node:crypto'

/**
 * Tries one form after another until the schema takes one: the first pleases every kind of secret (64 hexadecimal digits are
 * also base64 and more than 32 bytes), the others addresses, lengths and the like.
 *
 * @param whole whether the reference is all of the text
 * @returns the nth try, or undefined when there is none left
 */
export function standInFor(name: string, whole: boolean, count: number): string | undefined {
  const digest = createHash('sha256').update(`stand-in for ${name}`).digest('hex')
  const port = String(20_000 + (Number.parseInt(digest.slice(0, 4), 16) % 20_000))
  const candidates = whole
    ? [
        digest,
        'https://stand-in.example',
        'stand-in.example',
        `127.0.0.1:${port}`,
        '192.0.2.1',
        '30s',
        '16KiB',
        '100/1m',
        'GET',
        '/stand-in',
        'standin',
        'memory:',
        'sqlite:./stand-in.db',
      ]
    : ['stand-in', port, 'standin', '1']
  return candidates[count]
}
