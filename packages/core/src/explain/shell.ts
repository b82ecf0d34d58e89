/** A word as a shell takes it. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_./:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
