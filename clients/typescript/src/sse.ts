/** Server-sent events, many at once. */

/** The name and the data of an event. */
export type Frame = [name: string, data: string];

/** How the store writes an event. Whatever else is a valid event is read line by line. */
const USUAL = /^event: (\w+)\nid: ([^\n]*)\ndata: ([^\n]*)$/;

/** The events of a stream, as bytes arrive. An event counts when its empty line has arrived. */
export class Frames {
  readonly #decoder = new TextDecoder();
  /** The beginning of an event that is not complete yet, without returns. */
  #parts: string[] = [];
  /** A return, which may be half of a line break. */
  #held = "";

  constructor(public lastId: string | undefined) {}

  /** The events that are complete now. A character that is cut in two waits for its end. */
  feed(bytes: Uint8Array): Frame[] {
    let chunk = this.#held + this.#decoder.decode(bytes, { stream: true });
    if (chunk.includes("\r")) {
      this.#held = chunk.endsWith("\r") ? "\r" : "";
      chunk = chunk.slice(0, chunk.length - this.#held.length).replace(/\r\n?/g, "\n");
    } else {
      this.#held = "";
    }
    if (chunk === "") return [];
    const joins = chunk.startsWith("\n") && this.#parts.at(-1)?.endsWith("\n");
    this.#parts.push(chunk);
    if (!joins && !chunk.includes("\n\n")) return [];
    return this.#complete(this.#parts.join(""));
  }

  #complete(text: string): Frame[] {
    const end = text.lastIndexOf("\n\n");
    const rest = text.slice(end + 2);
    this.#parts = rest === "" ? [] : [rest];
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
