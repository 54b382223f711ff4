// What outlives a restart: the signing keys, and what another process needs in order to mint a token with them.
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { parseSigningKeys } from './keys.ts'
import type { SigningKeys } from './keys.ts'
import type { DevUser } from './users.ts'

/** The content of a state file. The file is a JSON Web Key Set with three more members. */
export interface DevState {
  readonly issuer: string
  readonly audience: string
  /** Seconds. */
  readonly accessTokenLifetime: number
  /** Without passwords. */
  readonly users: readonly Omit<DevUser, 'password'>[]
  readonly signingKeys: SigningKeys
}

/**
 * Reads a state file; a file that is a bare private JSON Web Key Set will do.
 *
 * @returns undefined if there is no such file
 * @throws {Error} naming the file, if it cannot be used
 */
export async function readState(
  file: string,
): Promise<(Partial<DevState> & Pick<DevState, 'signingKeys'>) | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const content = parseJson(text)
  try {
    const { keys, ...rest } = content as Partial<DevState> & { keys?: unknown }
    return { ...rest, signingKeys: parseSigningKeys({ keys }) }
  } catch (cause) {
    throw new Error(
      `the identity provider's state file ${file} cannot be used: ${(cause as Error).message}`,
      {
        cause,
      },
    )
  }
}

// The message of a syntax error quotes the text, and the text is private keys: so the error ends here.
function parseJson(text: string): object {
  try {
    return Object(JSON.parse(text)) as object
  } catch {
    return {}
  }
}

/** Replaces the file in one step, so that a crash leaves the old keys or the new ones, readable by the owner only. */
export async function writeState(file: string, state: DevState): Promise<void> {
  // Member by member: a caller's object may hold client secrets beside these.
  const { issuer, audience, accessTokenLifetime, signingKeys } = state
  const users = state.users.map(withoutPassword)
  const content = { issuer, audience, accessTokenLifetime, users, keys: signingKeys.keys }
  const temporary = `${file}.${process.pid}.new`
  await writeFile(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 })
  await chmod(temporary, 0o600)
  await rename(temporary, file)
}

function withoutPassword(user: Omit<DevUser, 'password'>): Omit<DevUser, 'password'> {
  const { name, roles, scopes, claims } = user
  return claims === undefined ? { name, roles, scopes } : { name, roles, scopes, claims }
}
