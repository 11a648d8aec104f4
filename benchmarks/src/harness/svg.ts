/** How a text looks. */
export interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end' | undefined;
  readonly size?: number | undefined;
  readonly bold?: boolean | undefined;
  readonly colour?: string | undefined;
}

/** A picture that grows downwards. */
export class Svg {
  readonly #width: number;
  readonly #parts: string[] = [];
  /** Where the last line stands. */
  y = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** Goes down by so much, and says where that is. */
  move(by: number): number {
    this.y += by;
    return this.y;
  }

  text(x: number, y: number, text: string, style: TextStyle = {}): void {
    const { anchor = 'start', size = 13, bold = false, colour = '#1f2933' } = style;
    const weight = bold ? ' font-weight="bold"' : '';
    this.#parts.push(
      `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}"${weight} fill="${colour}">${escapeXml(text)}</text>`,
    );
  }

  /** A bar beside a line of text. */
  bar(x: number, y: number, width: number, colour: string): void {
    const [at, long] = [round(x), round(Math.max(1, width))];
    this.#parts.push(
      `<rect x="${at}" y="${round(y - 10)}" width="${long}" height="12" fill="${colour}" fill-opacity="0.75"/>`,
    );
  }

  /** From a quartile to the other, over a bar. */
  whisker(from: number, to: number, y: number, colour: string): void {
    const [low, high, middle] = [round(Math.min(from, to)), round(Math.max(from, to)), round(y - 4)];
    const path = `M${low} ${middle}H${high}M${low} ${middle - 3}v6M${high} ${middle - 3}v6`;
    this.#parts.push(`<path d="${path}" stroke="${colour}" fill="none"/>`);
  }

  verticalLine(x: number, from: number, to: number, colour: string): void {
    this.#parts.push(
      `<path d="M${round(x)} ${round(from)}V${round(to)}" stroke="${colour}" stroke-dasharray="4 3"/>`,
    );
  }

  toString(): string {
    const height = this.y + 20;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${this.#width} ${height}" width="${this.#width}" height="${height}" font-family="Helvetica, Arial, sans-serif">`,
      '<rect width="100%" height="100%" fill="#ffffff"/>',
      ...this.#parts,
      '</svg>',
      '',
    ].join('\n');
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
