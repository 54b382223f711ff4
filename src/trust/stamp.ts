/** What tells that a file is another one than before, without reading it. */
import { statSync, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'

export async function stampOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(files.map((file) => stat(file).then(stampOfStats, missing)))
  return stamps.join(' ')
}

export function stampOfSync(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        return stampOfStats(statSync(file))
      } catch {
        return missing()
      }
    })
    .join(' ')
}

/** A swapped symbolic link shows as another inode, a rewritten file by its times, even where somebody sets the one back. */
function stampOfStats({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}:${ctimeMs}`
}

function missing(): string {
  return '-'
}
