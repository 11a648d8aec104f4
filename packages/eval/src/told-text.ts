import { clip } from './clip.ts';
import { withoutSecrets } from './tape/secret-scan.ts';

/**
 * A text of others as a report has it: without what looks like a key, then at most `maxLength` characters of it. In this
 * order: half a key is not known for one, and may be most of it.
 */
export function toldText(text: string, maxLength: number): string {
  return clip(withoutSecrets(text), maxLength);
}
