// The head of a page: where one is, what it is called, what can be done. It also names the tab.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

export function Heading(props: { title: string; trail?: [string, string][]; before?: ComponentChildren; after?: ComponentChildren; children?: ComponentChildren }) {
  const { title, trail, before, after, children } = props;
  useEffect(() => {
    document.title = `${title} – recflow`;
  }, [title]);
  return (
    <div class="heading">
      {trail && (
        <nav class="trail" aria-label="Where you are">
          {trail.map(([href, name]) => (
            <a key={href} href={href}>
              {name}
            </a>
          ))}
        </nav>
      )}
      <div class="heading-row">
        <h1>
          {before}
          <span>{title}</span>
          {after}
        </h1>
        {children && <div class="actions">{children}</div>}
      </div>
    </div>
  );
}
