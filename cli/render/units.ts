/** `<1 ms`, `14 ms`, `3.2 s`, `4 min 10 s`, `1 h 3 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1) return '<1 ms'
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB'] as const

/** Decimal units, as S3 and disks are sold: `512 B`, `1.2 kB`, `18 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  let value = bytes
  let unit: string = 'B'
  for (const next of BYTE_UNITS) {
    if (value < 999.5) break
    value /= 1000
    unit = next
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** `2026-11-21 08:41:03`, in UTC, whoever reads it; the column's title says so. */
export function formatTime(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? iso : date.toISOString().slice(0, 19).replace('T', ' ')
}

/** `1 migration`, `3 migrations`, `1,200 rows`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${amount.toLocaleString('en-US')} ${amount === 1 ? noun : plural}`
}
