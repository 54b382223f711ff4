import type { Facts } from '../../ports/facts.ts'
import type { Connection } from './connection.ts'

export function sqliteMeta(connection: Connection): Facts {
  const { reader, writer } = connection
  const select = reader.prepare('SELECT value FROM meta WHERE name = ?')
  const upsert = writer.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  )
  const insert = writer.prepare('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
  const valueOf = (name: string): string | undefined => select.get(name)?.['value'] as string | undefined
  return {
    get: async (name) => valueOf(name),
    set: async (name, value) => {
      await connection.write(() => upsert.run(name, value))
    },
    setIfAbsent: async (name, value) => {
      await connection.write(() => insert.run(name, value))
      return valueOf(name) ?? value
    },
  }
}
