/** Counts what makes the form of a text. */
export class TextForm {
  capitals = 0;
  nonAscii = 0;
  digits = 0;
  #words = 0;
  #wordChars = 0;
  #longWords = 0;
  #longest = 0;
  #numbers = 0;
  #punctuation = 0;
  #questions = 0;
  #commas = 0;
  #sentences = 0;
  #lines = 0;
  #listItems = 0;
  #quotes = 0;
  #brackets = 0;
  #maths = 0;
  #code = 0;
  #chars = 0;
  #lastSpace = true;

  word(length: number, isNumber: boolean): void {
    this.#words++;
    this.#wordChars += length;
    this.#chars += length;
    this.#lastSpace = false;
    if (isNumber) this.#numbers++;
    else if (length > 8) this.#longWords++;
    if (length > this.#longest) this.#longest = length;
  }

  sign(code: number, isSpace: boolean): void {
    if (isSpace) {
      if (code === 0x0a) this.#lines++;
      if (!this.#lastSpace) this.#chars++;
      this.#lastSpace = true;
      return;
    }
    this.#chars++;
    this.#lastSpace = false;
    this.#punctuation++;
    switch (code) {
      case 0x3f: // ?
      case 0xff1f:
        this.#questions++;
        break;
      case 0x2c: // ,
        this.#commas++;
        break;
      case 0x2e: // .
      case 0x21: // !
        this.#sentences++;
        break;
      case 0x2d: // -
      case 0x2a: // *
      case 0x29: // )
        this.#listItems++;
        break;
      case 0x22: // "
      case 0x27: // '
      case 0x60: // `
      case 0x201c:
      case 0x2019:
        this.#quotes++;
        break;
      case 0x28: // (
      case 0x5b: // [
        this.#brackets++;
        break;
      case 0x2b: // +
      case 0x3d: // =
      case 0x2f: // /
      case 0x5e: // ^
      case 0x24: // $
      case 0x25: // %
      case 0x3c: // <
      case 0x3e: // >
        this.#maths++;
        break;
      case 0x7b: // {
      case 0x7d: // }
      case 0x3b: // ;
      case 0x5f: // _
      case 0x5c: // \
      case 0x23: // #
      case 0x7c: // |
        this.#code++;
        break;
      default:
    }
  }

  /** Writes the measures, in the order of `denseFeatureNames`. */
  measure(into: Float64Array, length: number, seen: number, distinct: number): void {
    const words = Math.max(1, this.#words);
    const chars = Math.max(1, this.#chars);
    // Of a text that lost its middle, the length is still known.
    const whole = this.#chars * (seen === 0 ? 1 : length / seen);
    let i = 0;
    into[i++] = Math.log1p(whole);
    into[i++] = Math.log1p(this.#words);
    into[i++] = this.#wordChars / words;
    into[i++] = this.#longWords / words;
    into[i++] = Math.log1p(this.#longest);
    into[i++] = this.digits / chars;
    into[i++] = Math.log1p(this.#numbers);
    into[i++] = this.capitals / chars;
    into[i++] = this.nonAscii / chars;
    into[i++] = this.#punctuation / chars;
    into[i++] = Math.log1p(this.#questions);
    into[i++] = Math.log1p(this.#commas);
    into[i++] = Math.log1p(this.#sentences);
    into[i++] = Math.log1p(this.#lines);
    into[i++] = Math.log1p(this.#listItems);
    into[i++] = Math.log1p(this.#quotes);
    into[i++] = Math.log1p(this.#brackets);
    into[i++] = Math.log1p(this.#maths);
    into[i++] = Math.log1p(this.#code);
    into[i++] = distinct / (2 * words);
  }
}
