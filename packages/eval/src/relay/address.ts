/** How a process or a thread that a run started finds the HTTP boundary of the run. JSON-safe. */
export interface RelayAddress {
  /** Process of the run. */
  readonly pid: number;
  /** URL of the module that every Node process loads first. */
  readonly preload: string;
  /** Socket (a named pipe on Windows) that takes requests. */
  readonly socket: string;
  /** File that takes notes: lines of JSON, each a `RelayNote`. */
  readonly notes: string;
  /** Whose requests these are, a number that the run knows. */
  readonly scope: number;
  /** Set where the run cannot be asked: its requests are refused, and this says why and what to do. */
  readonly closed?: string | undefined;
  /** Nothing may go out that the run does not see: it has a budget, or a tape. */
  readonly isBinding: boolean;
  /** Requests that read are free, so those go out where the run cannot be asked. */
  readonly mayRead: boolean;
  /** Requests that do not go through `fetch` are stopped where they would go to a model. */
  readonly blocks: boolean;
  /** Hosts whose requests go out as they are. */
  readonly allowHosts: readonly string[];
  /** Providers by the beginning of their URLs, the longest first. */
  readonly providers: readonly ProviderPrefix[];
}

/** Whose model is behind the URLs that begin so. */
export interface ProviderPrefix {
  readonly base: string;
  readonly provider: string;
}

/** What a process tells when it refused a request by itself. */
export interface RelayNote {
  readonly scope: number;
  readonly message: string;
}

/** A request as it is handed over; its body follows. */
export interface RelayRequest {
  readonly scope: number;
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly redirect: Request['redirect'];
}

/** An answer as it is handed back; its body follows. */
export interface RelayAnswer {
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Environment variable that holds a `RelayAddress`; its name is also that of the environment data of threads. */
export const relayVariable = 'SYNAPSEKIT_RELAY';

/** The option of Node that loads the boundary, as `NODE_OPTIONS` takes it: a URL has no spaces. */
export function preloadOption({ preload }: RelayAddress): string {
  return `--import=${preload}`;
}
