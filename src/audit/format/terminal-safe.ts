/**
 * Characters that act on a terminal or a reader's eye instead of being read: controls (C0, DEL, C1), directional
 * marks and overrides, zero-width ones, line separators. Paths, hosts and claims are chosen by strangers, and a
 * person will print this log.
 */
const inJson = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g
const inText =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/** Makes JSON text safe to print as it is. The value stays the same: only the spelling changes. JSON itself escapes C0. */
export function terminalSafeJson(json: string): string {
  return json.replace(inJson, (character) => `\\u${hex(character, 4)}`)
}

/** Makes free text safe to print: what is dangerous is spelt out, and so can be told from what was meant. */
export function terminalSafeText(text: string): string {
  return text.replace(inText, (character) => {
    const code = character.charCodeAt(0)
    return code < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`
  })
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0')
}
