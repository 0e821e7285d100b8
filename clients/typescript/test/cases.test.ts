/** The cases of clients/cases.md that a scripted server plays. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { CLIENTS, cases, play, Scripted, titles } from "./playing.js";

describe("played", { concurrency: 16 }, () => {
  let scripted: Scripted;
  before(async () => {
    scripted = await Scripted.start();
  });
  after(() => scripted.close());
  for (const [number, example] of cases().entries()) {
    test(`case ${example.case} (${number}): ${titles().get(example.case)}`, () =>
      play(scripted, example, `case-${number}`));
  }
});

test("every case has a test", () => {
  const played = cases().map((example) => example.case as number);
  const folder = `${CLIENTS}/typescript/test`;
  const sources = readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, "utf8"));
  const named = sources.flatMap((text) => [...text.matchAll(/^\s*test\("case (\d+):/gm)]);
  const tested = new Set([...played, ...named.map((found) => Number(found[1]))]);
  assert.deepEqual([...tested].sort(), [...titles().keys()].sort());
});

test("the library itself runs outside Node.js", () => {
  const folder = `${CLIENTS}/typescript/src`;
  for (const file of readdirSync(folder).filter((name) => name !== "testing.ts")) {
    const text = readFileSync(`${folder}/${file}`, "utf8");
    assert.doesNotMatch(text, /\bprocess\.|\bBuffer\b|"node:|require\(/, file);
  }
});
