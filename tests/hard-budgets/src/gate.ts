/** Where calls in flight can be stopped for a while, so that they are in flight for certain when midnight comes. */
export class Gate {
  #opened: Promise<void> | undefined;
  #open: () => void = () => {};
  #inside = 0;

  /** How many wait at it. */
  get inside(): number {
    return this.#inside;
  }

  /** From now on everybody waits. */
  shut(): void {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Everybody goes on. */
  open(): void {
    this.#opened = undefined;
    this.#open();
  }

  /** Waits while it is shut. */
  async pass(): Promise<void> {
    if (this.#opened === undefined) return;
    this.#inside += 1;
    await this.#opened;
    this.#inside -= 1;
  }
}
