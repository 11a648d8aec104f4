/** The sign between two amounts, as it is. */
function sign<T extends number | bigint>(a: T, b: T): '<' | '=' | '>' {
  if (a < b) return '<';
  return a > b ? '>' : '=';
}

/**
 * `"$0.0312 < $0.10"`. Where rounding for people would make two different amounts look alike, both are printed in full.
 */
export function comparison<T extends number | bigint>(
  a: T,
  b: T,
  rounded: (amount: T) => string,
  inFull: (amount: T) => string,
): string {
  const print = a !== b && rounded(a) === rounded(b) ? inFull : rounded;
  return `${print(a)} ${sign(a, b)} ${print(b)}`;
}
