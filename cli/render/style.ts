import { styleText } from 'node:util'

/** How words are emphasised. Every function gives its text back, decorated or not. */
export interface Style {
  readonly heading: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly attention: (text: string) => string
  readonly quiet: (text: string) => string
}

const same = (text: string): string => text

/** No decoration. */
export const plainStyle: Style = { heading: same, good: same, bad: same, attention: same, quiet: same }

/** Colour where the stream is a terminal that shows it, and NO_COLOR is not set. */
export function styleFor(stream: NodeJS.WriteStream): Style {
  const decorate =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      styleText(format, text, { stream })
  return {
    heading: decorate('bold'),
    good: decorate('green'),
    bad: decorate(['bold', 'red']),
    attention: decorate('yellow'),
    quiet: decorate('dim'),
  }
}
