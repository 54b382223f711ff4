import { join } from 'node:path'
import { indexName } from '../format/segments.ts'
import { catchUp } from './catch-up.ts'
import { IndexDatabase } from './database.ts'

/**
 * Builds the index of a log anew, also while a gateway writes it.
 * @returns how many events it holds
 */
export function rebuildIndex(directory: string): number {
  const index = IndexDatabase.open(join(directory, indexName))
  try {
    index.atomically(() => index.clear())
    catchUp(directory, index)
    return index.count()
  } finally {
    index.close()
  }
}
