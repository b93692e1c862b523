// How wide an element is, followed as it changes.

import { useEffect, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";

/** A reference to attach to the element, and its width in CSS pixels; `first` until it is known. */
export function useWidth<E extends HTMLElement>(first: number): [RefObject<E | null>, number] {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(first);
  useEffect(() => {
    const host = element.current;
    if (!host) return;
    const measure = () => {
      if (host.clientWidth > 0) setWidth(host.clientWidth);
    };
    measure();
    const followed = new ResizeObserver(measure);
    followed.observe(host);
    return () => followed.disconnect();
  }, []);
  return [element, width];
}
