// Icons of buttons: strokes in the current colour, silent for screen readers (the button has the word).

const PATHS = {
  play: "M5 3.5l7.5 4.5l-7.5 4.5z",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  stop: "M4 4h8v8h-8z",
  retry: "M12.8 8a4.8 4.8 0 1 1-1.5-3.5M12.9 2.4v2.9h-2.9",
  close: "M4 4l8 8M12 4l-8 8",
  down: "M8 2.5v8M4.5 7.5l3.5 3.5l3.5-3.5M3 13.5h10",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4M10.2 10.2l3.3 3.3",
  sun: "M8 5a3 3 0 1 0 0 6a3 3 0 1 0 0-6M8 1.5v1.5M8 13v1.5M1.5 8h1.5M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M13 9.5a5.5 5.5 0 1 1-6.5-6.5a4.4 4.4 0 0 0 6.5 6.5z",
  system: "M2.5 3.5h11v7.5h-11zM6 13.5h4",
  plus: "M8 3.5v9M3.5 8h9",
  minus: "M3.5 8h9",
  fit: "M3 6v-3h3M10 3h3v3M13 10v3h-3M6 13h-3v-3",
  chevron: "M6 4l4 4l-4 4",
  back: "M10 4l-4 4l4 4",
  user: "M8 3a2.6 2.6 0 1 0 0 5.2a2.6 2.6 0 1 0 0-5.2M3 13.5c.6-2.6 2.6-3.8 5-3.8s4.4 1.2 5 3.8",
  copy: "M5.5 5.5h7.500v7.500h-7.500zM3 10.500v-7.500h7.500",
  clock: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11zM8 5v3.2l2.2 1.4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
