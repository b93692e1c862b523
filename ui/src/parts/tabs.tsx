// Views of one thing as links: each has an address, so they are navigation rather than a tab list.

export interface Tab {
  href: string;
  name: string;
  badge?: string | number | undefined;
}

export function Tabs({ tabs, current, label }: { tabs: Tab[]; current: string; label: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ href, name, badge }) => (
        <a key={href} href={href} aria-current={href === current ? "page" : undefined}>
          {name}
          {badge !== undefined && <span class="badge">{badge}</span>}
        </a>
      ))}
    </nav>
  );
}
