/** What all calls of a client share. */

/** How a call is repeated. `follow` and `consume` try again without an end. */
export interface Retry {
  /** How many times a call is tried. */
  attempts: number;
  /** The longest pause after the first failure, in seconds. It doubles with each failure. */
  firstPause: number;
  /** The longest pause that is chosen without a `Retry-After`. */
  longestPause: number;
  /** A longer `Retry-After` ends the tries. */
  longestRetryAfter: number;
}

/** How a call is repeated unless something else is said. */
export const RETRY: Retry = {
  attempts: 8,
  firstPause: 0.1,
  longestPause: 5,
  longestRetryAfter: 30,
};

/** What all calls of a client share. */
export interface Settings {
  url: string;
  store: string | undefined;
  headers: Record<string, string>;
  timeout: number;
  retry: Retry;
  parse: (text: string) => any;
  fetch: typeof fetch;
  onRetry: ((error: Error, pause: number) => void) | undefined;
}

/** Seconds of a clock that never jumps. */
export function now(): number {
  return performance.now() / 1000;
}

/** The pause after so many failures in a row: random, so that clients do not come together. */
export function pauseAfter(retry: Retry, failures: number, retryAfter?: number): number {
  const longest = Math.min(retry.longestPause, retry.firstPause * 2 ** Math.min(failures - 1, 16));
  const chosen = longest * (0.5 + Math.random() / 2);
  return Math.max(chosen, Math.min(retryAfter ?? 0, retry.longestRetryAfter));
}

/** Waits, and returns early when the signal is given. */
export function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", done);
  });
}
