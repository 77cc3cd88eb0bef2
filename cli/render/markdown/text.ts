/** GitHub's Markdown. Whatever a text holds, it is shown as it is: nothing in it formats, links, or calls somebody. */

/** A text in a paragraph, a list or the cell of a table. */
export function plain(text: string): string {
  return onOneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~$!]/g, String.raw`\$&`)
    .replaceAll(/@(?=\w)|#(?=\d)/g, '$&<!-- -->')
}

/** A name, a value or a short piece of code, also in the cell of a table. */
export function code(text: string): string {
  const shown = onOneLine(text)
  const fence = '`'.repeat(longestRun(shown) + 1)
  const room = shown.startsWith('`') || shown.endsWith('`') || shown.trim() === '' ? ' ' : ''
  return `${fence}${room}${shown}${room}${fence}`.replaceAll('|', String.raw`\|`)
}

/** Lines of code, whatever they hold. */
export function codeBlock(text: string, language: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1))
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`
}

/** A text in HTML, such as a summary. */
export function html(text: string): string {
  return onOneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/@(?=\w)|#(?=\d)/g, '$&<!-- -->')
}

/** {@link code} in HTML. */
export function htmlCode(text: string): string {
  return `<code>${html(text)}</code>`
}

/** What is folded away. @param summary - HTML @param body - Markdown */
export function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`
}

/** @param align - `r` for a column of numbers @param rows - of cells in Markdown */
export function markdownTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ('l' | 'r')[] = [],
): string {
  const rule = titles.map((_, index) => (align[index] === 'r' ? '--:' : '--'))
  return [titles, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A coloured box. @param paragraphs - Markdown */
export function alert(kind: 'CAUTION' | 'WARNING' | 'NOTE', paragraphs: readonly string[]): string {
  return [`[!${kind}]`, ...paragraphs.flatMap((text, index) => [...(index === 0 ? [] : ['']), ...text.split('\n')])]
    .map((text) => `> ${text}`.trimEnd())
    .join('\n')
}

/** At most so many characters, none of them cut in two. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

function onOneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
}
