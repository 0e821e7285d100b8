/** Server-sent events, many at once. */

/** The name and the data of an event. */
export type Frame = [name: string, data: string];

/** How the store writes an event. Whatever else is a valid event is read line by line. */
const USUAL = /^event: (\w+)\nid: ([^\n]*)\ndata: ([^\n]*)$/;

/** The events of a stream, as bytes arrive. An event counts when its empty line has arrived. */
export class Frames {
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(public lastId: string | undefined) {}

  /** The events that are complete now. A character that is cut in two waits for its end. */
  feed(bytes: Uint8Array): Frame[] {
    let text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    if (text.includes("\r")) {
      // A return at the end may be half of a line break.
      const held = text.endsWith("\r") ? "\r" : "";
      text = text.slice(0, text.length - held.length).replace(/\r\n?/g, "\n");
      const events = this.#complete(text);
      this.#rest += held;
      return events;
    }
    return this.#complete(text);
  }

  #complete(text: string): Frame[] {
    const end = text.lastIndexOf("\n\n");
    if (end < 0) {
      this.#rest = text;
      return [];
    }
    this.#rest = text.slice(end + 2);
    const events: Frame[] = [];
    for (const block of text.slice(0, end).split("\n\n")) {
      const usual = USUAL.exec(block);
      if (usual) {
        this.lastId = usual[2];
        events.push([usual[1]!, usual[3]!]);
      } else {
        this.#lines(block, events);
      }
    }
    return events;
  }

  /** An event in any form. */
  #lines(block: string, events: Frame[]): void {
    let name = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      const key = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (key === "id") this.lastId = value;
      else if (key === "event") name = value;
      else if (key === "data") data.push(value);
    }
    if (data.length > 0) events.push([name, data.join("\n")]);
  }
}
