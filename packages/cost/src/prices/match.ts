/**
 * A rule that says which ids are meant, as the price table keeps it: `=` equals, `^` starts with, `$` ends with,
 * `*` contains, `~` regular expression, each before its text in lower case. A list holds when one of it does.
 */
export type MatchRule = string | readonly MatchRule[] | { readonly and: readonly MatchRule[] };

/** Whether `id`, in lower case, is meant by the rule. Same semantics as `MatchLogic` of genai-prices. */
export function matches(rule: MatchRule, id: string): boolean {
  if (typeof rule !== 'string') {
    return 'and' in rule
      ? rule.and.every((part) => matches(part, id))
      : rule.some((part) => matches(part, id));
  }
  const text = rule.slice(1);
  switch (rule[0]) {
    case '=':
      return id === text;
    case '^':
      return id.startsWith(text);
    case '$':
      return id.endsWith(text);
    case '*':
      return id.includes(text);
    default:
      return new RegExp(text).test(id);
  }
}
