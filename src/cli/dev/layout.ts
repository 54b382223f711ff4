/** The state folder of `portcullis dev`: what lies where, and the configuration that it runs. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The addresses that stand in `examples/quickstart/portcullis.yaml`, replaced by the ones in use. */
export const quickstartAddresses = {
  gateway: '127.0.0.1:8080',
  admin: '127.0.0.1:9901',
  provider: '127.0.0.1:9400',
  catalog: '127.0.0.1:7001',
} as const

export type DevAddresses = Readonly<Record<keyof typeof quickstartAddresses, string>>

export interface DevFolder {
  readonly path: string
  /** False for `--dir`: it outlives the run. */
  readonly isTemporary: boolean
  readonly config: string
  readonly providerState: string
  readonly adminToken: string
  /** Who stands where, for `portcullis dev token` in another terminal. */
  readonly facts: string
}

export async function openDevFolder(cwd: string, dir: string | undefined): Promise<DevFolder> {
  const path = dir === undefined ? await mkdtemp(join(tmpdir(), 'portcullis-dev-')) : resolve(cwd, dir)
  await mkdir(path, { recursive: true, mode: 0o700 })
  return { ...devFolder(path), isTemporary: dir === undefined }
}

export function devFolder(path: string): DevFolder {
  return {
    path,
    isTemporary: false,
    config: join(path, 'portcullis.yaml'),
    providerState: join(path, 'provider.json'),
    adminToken: join(path, 'admin-token'),
    facts: join(path, 'dev.json'),
  }
}

/** Made once for each folder, readable by its owner only. */
export async function adminTokenOf(folder: DevFolder): Promise<string> {
  if (!existsSync(folder.adminToken)) {
    await writeFile(folder.adminToken, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  }
  return (await readFile(folder.adminToken, 'utf8')).trim()
}

/** Writes the quickstart configuration, and the secret of its web client, with this run's addresses. It is written anew each time: edit a copy. */
export async function writeDevConfiguration(
  folder: DevFolder,
  addresses: DevAddresses,
  webSecret: string,
): Promise<void> {
  await writeFile(join(folder.path, 'web-secret'), `${webSecret}\n`, { mode: 0o600 })
  const quickstart = fileURLToPath(new URL('../../../examples/quickstart/portcullis.yaml', import.meta.url))
  let text = await readFile(quickstart, 'utf8')
  for (const [name, address] of Object.entries(quickstartAddresses)) {
    text = text.replaceAll(address, addresses[name as keyof DevAddresses])
  }
  text = text.replace('${env:PORTCULLIS_ADMIN_TOKEN}', '${file:./admin-token}')
  text = text.replace('${env:WEB_SECRET}', '${file:./web-secret}')
  await writeFile(folder.config, text)
}
