import { describe, expect, it } from 'vitest'
import { compileRewrite } from './rewrite.ts'

describe('the path for the upstream', () => {
  it.each([
    [{}, '/catalog/items', '/catalog/items'],
    [{ stripPrefix: '/catalog', addPrefix: '/v1' }, '/catalog/items', '/v1/items'],
    [{ stripPrefix: '/catalog', addPrefix: '/v1' }, '/catalog/', '/v1/'],
    [{ stripPrefix: '/catalog', addPrefix: '/v1' }, '/catalog', '/v1'],
    [{ stripPrefix: '/catalog' }, '/catalog', '/'],
    [{ stripPrefix: '/catalog/' }, '/catalog/items/', '/items/'],
    [{ stripPrefix: '/catalog' }, '/catalogue/x', '/catalogue/x'],
    [{ stripPrefix: '/catalog' }, '/Catalog/x', '/Catalog/x'],
    [{ stripPrefix: '/catalog' }, '/catalog%2Fx', '/catalog%2Fx'],
    [{ stripPrefix: '/catalog' }, '/x/catalog/y', '/x/catalog/y'],
    [{ stripPrefix: '/' }, '/x', '/x'],
    [{ addPrefix: '/v1/' }, '/x', '/v1/x'],
    [{ addPrefix: '/v1' }, '/', '/v1/'],
    [{ addPrefix: 'v1' }, '/x', '/v1/x'],
  ])('%j makes of %s %s', (rewrite, path, target) => {
    expect(compileRewrite(rewrite)(path)).toBe(target)
  })
})
