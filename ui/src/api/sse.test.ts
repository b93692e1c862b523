import { describe, expect, it } from "vitest";
import { Parser, backoff } from "./sse";

describe("server-sent events", () => {
  it("are the same wherever the network cut them", () => {
    const whole = ": hello\n\nid: 7\nevent: run\ndata: {\"a\":\ndata: 1}\n\ndata: x\r\n\r\nevent: none\n\n";
    for (let at = 0; at <= whole.length; at++) {
      const parser = new Parser();
      expect([...parser.push(whole.slice(0, at)), ...parser.push(whole.slice(at))]).toEqual([
        { id: "7", event: "run", data: '{"a":\n1}' },
        { id: "7", event: "message", data: "x" },
      ]);
    }
  });
  it("back off to half a minute", () => {
    expect([backoff(0, () => 0), backoff(3, () => 1), backoff(40, () => 1)]).toEqual([500, 8000, 30_000]);
  });
});
