/** What keys look like. Each is its own kind in messages: the key itself is never repeated. */
const shapes: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['an API key', /(?<![A-Za-z0-9])(?:sk|gsk|pk|rk|xai|pplx|csk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9]{16,}/],
  ['a key of a cloud', /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])|(?<![\w-])AIza[\w-]{35}/],
  [
    'a token of a code host',
    /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,})/,
  ],
  [
    'a token of a registry or a chat',
    /(?<![A-Za-z0-9])(?:npm_[A-Za-z0-9]{30,}|hf_[A-Za-z0-9]{30,}|xox[abposr]-[\w-]{10,})/,
  ],
  ['a signed token (JWT)', /(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
  ['a bearer token', /\bbearer\s+[\w.~+/-]{20,}/i],
];

/** Shorter values are words. */
const minSecretLength = 12;
/** So much is enough under a name that leaves no doubt. */
const minNamedLength = 8;

/** Finds secrets in what is about to be written. */
export class SecretScan {
  readonly #known: ReadonlyMap<string, string>;
  readonly #learned: Set<string> = new Set();

  /**
   * @param known secrets by their name: their values must not appear anywhere.
   */
  constructor(known: Readonly<Record<string, string>>) {
    this.#known = new Map(Object.entries(known).filter(([, value]) => value.length >= minNamedLength));
  }

  /** How many secrets it has learned: a text that was clean when it knew fewer has to be searched again. */
  get learned(): number {
    return this.#learned.size;
  }

  /** Credentials that a request was sent with: they must not appear anywhere either. */
  learn(headers: Headers): void {
    for (const name of ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key']) {
      const value = headers.get(name)?.replace(/^\w+\s+/, '');
      if (value !== undefined && value.length >= minSecretLength) this.#learned.add(value);
    }
  }

  /** Says what kind of secret is in a text, in a clause that does not repeat it. */
  find(text: string): string | undefined {
    for (const [name, value] of this.#known) if (text.includes(value)) return `the value of ${name}`;
    for (const value of this.#learned) if (text.includes(value)) return 'the key that requests are sent with';
    return shapes.find(([, shape]) => shape.test(text))?.[0];
  }
}

/** Values of environment variables whose names say that they are secrets. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.length < minNamedLength || /^(?:\/|\.)/.test(value)) continue;
    if (value.length < minSecretLength && !/_(?:API_KEY|TOKEN|SECRET|PASSWORD)$/i.test(name)) continue;
    if (/(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:$|_)/i.test(name)) {
      secrets[name] = value;
    }
  }
  return secrets;
}

/** A text with what looks like a key taken out. */
export function withoutSecrets(text: string): string {
  return shapes.reduce(
    (rest, [kind, shape]) => rest.replace(new RegExp(shape, `g${shape.flags}`), `[${kind}]`),
    text,
  );
}

const accountIds = /\b(?:org|proj)[-_][A-Za-z0-9]{8,}/g;

/** Error messages of providers name the account: that goes, the message stays. */
export function withoutAccounts(text: string): string {
  return text.replace(accountIds, (id) => `${id.slice(0, id.search(/[-_]/) + 1)}redacted`);
}
