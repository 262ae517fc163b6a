export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
/** Two digits, or a whole number from 100 on. */
export const short = (value: number): string => (Number.isFinite(value) ? (Math.abs(value) >= 100 ? whole(value) : String(Number(value.toPrecision(2)))) : '–');
