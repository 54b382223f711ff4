// The items, in memory: what is added is gone when the service ends.
import { openingTitles } from './titles.ts'
import type { CatalogItem } from './titles.ts'

/** What can be done with the items. */
export interface Shelf {
  list(): readonly CatalogItem[]
  find(id: string): CatalogItem | undefined
  /** @param body - JSON with at least a `title`; undefined if it was too large */
  add(body: string | undefined, addedBy: string | undefined): AddOutcome
  remove(id: string): CatalogItem | undefined
}

/** An added item, or why there is none. */
export type AddOutcome =
  | { readonly item: CatalogItem }
  | { readonly status: 400 | 413 | 507; readonly problem: string }

const maximumItems = 1000

/** A shelf with the opening titles. */
export function createShelf(): Shelf {
  const items = new Map(openingTitles().map((item) => [item.id, item]))
  let lastId = items.size
  return {
    list: () => [...items.values()],
    find: (id) => items.get(id),
    add(body, addedBy) {
      if (body === undefined) return { status: 413, problem: 'an item is at most 64 KiB' }
      const fields = parseObject(body)
      const title = fields?.['title']
      if (fields === undefined || typeof title !== 'string' || title === '' || title.length > 200) {
        return {
          status: 400,
          problem: 'expected a JSON object with "title", a string of 1 to 200 characters',
        }
      }
      if (items.size >= maximumItems) return { status: 507, problem: 'the shelf is full' }
      lastId += 1
      const item = {
        ...withDefaults(String(lastId), title, fields),
        ...(addedBy === undefined ? {} : { addedBy }),
      }
      items.set(item.id, item)
      return { item }
    },
    remove(id) {
      const item = items.get(id)
      items.delete(id)
      return item
    },
  }
}

function withDefaults(id: string, title: string, fields: Readonly<Record<string, unknown>>): CatalogItem {
  const { kind, year, genre, minutes, rating, summary } = fields
  return {
    id,
    title,
    kind: kind === 'series' ? 'series' : 'film',
    year: typeof year === 'number' ? year : 2026,
    genre: typeof genre === 'string' ? genre : 'drama',
    minutes: typeof minutes === 'number' ? minutes : 90,
    rating: typeof rating === 'string' ? rating : '12',
    summary: typeof summary === 'string' ? summary : '',
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
