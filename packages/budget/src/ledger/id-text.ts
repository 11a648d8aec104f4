/**
 * An id as the tables of ids want it: its characters in an array, and their hash. Taking them out of a string one by one
 * is most of the work there, so it is done once for all tables that are asked, and not at all for the same id again.
 */
export class IdText {
  hash = 0;
  length = 0;
  characters: Uint16Array<ArrayBuffer> = new Uint16Array(64);
  #id: string | undefined;

  /** Takes an id. True where it is the one that was taken last. */
  take(id: string): boolean {
    if (id === this.#id) return true;
    this.#id = id;
    const { length } = id;
    if (length > this.characters.length) this.characters = new Uint16Array(2 * length);
    const { characters } = this;
    // FNV-1a, mixed once more so that the low bits are as good as the high ones.
    let hash = 0x811c9dc5;
    for (let index = 0; index < length; index++) {
      const character = id.charCodeAt(index);
      characters[index] = character;
      hash = Math.imul(hash ^ character, 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
    this.hash = hash ^ (hash >>> 16);
    this.length = length;
    return false;
  }
}
