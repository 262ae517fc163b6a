import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../docs/SCALING.md', import.meta.url));

/**
 * Puts what `npm run <command>` has measured into its place in docs/SCALING.md. Returns the path of the page.
 * @throws Error when the page has no such place.
 */
export function putIntoScalingPage(command: string, text: string): string {
  const markers = [`<!-- npm run ${command} -->\n`, `<!-- /npm run ${command} -->`] as const;
  const whole = readFileSync(page, 'utf8');
  const [start, end] = [whole.indexOf(markers[0]), whole.indexOf(markers[1])];
  if (start === -1 || end < start) throw new Error(`${page} has no ${markers[0].trim()} followed by ${markers[1]}.`);
  writeFileSync(page, whole.slice(0, start + markers[0].length) + text + whole.slice(end));
  return page;
}
