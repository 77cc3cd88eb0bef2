/**
 * Runs works at the same time. When one fails, `cut`, which is told why, makes the others fail too, and all have ended before
 * the first failure is thrown: nothing goes on behind the caller's back.
 */
export async function together<T extends readonly unknown[]>(
  works: { readonly [K in keyof T]: Promise<T[K]> },
  cut: (reason: unknown) => void,
): Promise<T> {
  const all = Promise.all(works)
  all.catch(cut)
  await Promise.allSettled(works)
  return all as Promise<unknown> as Promise<T>
}
