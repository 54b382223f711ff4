import { formatPath, type Path } from './path.ts'
import { isSecretAt } from './schema-json.ts'
import type { Document } from './source/document.ts'

/**
 * @returns the paths of credentials that are written out rather than referred to. Of header fields that a route sets only the
 * operator knows whether they are secret; a program (TypeScript) does not show where its texts came from.
 */
export function literalSecretsIn(document: Document): string[] {
  if (document.position([], 'value') === undefined) return []
  const found: string[] = []
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === 'string') {
      if (value !== '' && !value.includes('${') && !isPublic(value) && isSecretAt(path, document.value))
        found.push(formatPath(path))
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value))
        visit(member, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }
  for (const section of ['admin', 'authenticators'] as const) {
    visit((document.value as Record<string, unknown>)[section], [section])
  }
  return found
}

/** Where a shared secret may stand, the public half of a key may stand too; that one is no secret. */
function isPublic(text: string): boolean {
  return /^\s*-----BEGIN (?:RSA )?(?:PUBLIC KEY|CERTIFICATE)-----/.test(text) && !text.includes('PRIVATE')
}
