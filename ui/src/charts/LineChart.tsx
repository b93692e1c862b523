// A chart of lines over time or over things in their order, with thresholds and marks.
//
// Drawn by uPlot on a canvas. Beside it, for who cannot see or point: the chart takes the keyboard as a slider over its points (arrows,
// Home, End, Enter) and says each in words, and the same figures are folded below as a table.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./charts.css";
import { axes, SYMBOL_ROOM } from "./axes";
import { FiguresTable, Legend } from "./legend";
import { describe, length, type Mark, positions, range, type Series, step, type Threshold, type XAxis } from "./model";
import { DASHES, marks as paintMarks, markers, type Palette, palette, selection, thresholds as paintThresholds } from "./paint";
import { useTheme } from "./theme";

export interface LineChartProps {
  /** What the chart shows: its caption, and its name for a screen reader. */
  title: string;
  x: XAxis;
  /** What a point of the x axis is called; its label, or its time, by default. */
  name: (index: number) => string;
  series: Series[];
  thresholds?: Threshold[];
  marks?: Mark[];
  /** CSS pixels. */
  height?: number;
  /** The point that the page shows more of. */
  selected?: number | null;
  /** Called when a point is clicked, or Enter is pressed on it. */
  onSelect?: (index: number) => void;
  /** Head of the first column of the table. */
  heading: string;
}

const NO_THRESHOLDS: Threshold[] = [];
const NO_MARKS: Mark[] = [];

export function LineChart(props: LineChartProps) {
  const { title, x, series, thresholds = NO_THRESHOLDS, marks = NO_MARKS, height = 180, selected = null, onSelect } = props;
  const size = length(x);
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const theme = useTheme();
  const shown = at ?? selected ?? size - 1;
  const select = useRef(onSelect);
  select.current = onSelect;
  const chosen = useRef(selected);
  chosen.current = selected;

  const data = useMemo(() => [positions(x), ...series.map((one) => one.values)] as uPlot.AlignedData, [x, series]);

  useEffect(() => {
    const element = host.current;
    if (!element || size === 0) return;
    const colours = palette(element);
    const drawn = new uPlot(options({ x, series, thresholds, marks, colours, width: element.clientWidth || 300, height, onMove: setAt, chosen: () => chosen.current }), data, element);
    plot.current = drawn;
    const click = () => {
      const index = drawn.cursor.idx;
      if (index != null) select.current?.(index);
    };
    drawn.over.addEventListener("click", click);
    const resized = new ResizeObserver(() => {
      const width = element.clientWidth;
      if (width > 0 && width !== drawn.width) drawn.setSize({ width, height });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [data, x, series, thresholds, marks, height, size, theme]);

  useEffect(() => plot.current?.redraw(false), [selected]);

  const move = (event: KeyboardEvent) => {
    if (event.key === "Enter" && onSelect && size > 0) {
      onSelect(shown);
      return;
    }
    const next = step(event.key, shown, size);
    if (next === null) return;
    event.preventDefault();
    setAt(next);
    const drawn = plot.current;
    const position = data[0][next];
    if (drawn && position != null) drawn.setCursor({ left: drawn.valToPos(position, "x"), top: drawn.rect.height / 2 }, false);
  };

  if (size === 0) return null;
  const words = describe(props.name(shown), series, marks, shown);
  return (
    <figure class="chart">
      <figcaption class="chart-title">{title}</figcaption>
      <div
        ref={host}
        class={onSelect ? "chart-canvas chart-canvas-select" : "chart-canvas"}
        role="slider"
        tabIndex={0}
        aria-label={title}
        aria-valuemin={1}
        aria-valuemax={size}
        aria-valuenow={shown + 1}
        aria-valuetext={words}
        onKeyDown={move}
        onBlur={() => setAt(null)}
        style={{ minHeight: `${height}px` }}
      />
      <Legend name={props.name(shown)} series={series} marks={marks} at={shown} />
      <FiguresTable title={title} heading={props.heading} name={props.name} series={series} marks={marks} thresholds={thresholds} size={size} />
    </figure>
  );
}

interface Drawing {
  x: XAxis;
  series: Series[];
  thresholds: Threshold[];
  marks: Mark[];
  colours: Palette;
  width: number;
  height: number;
  onMove: (index: number | null) => void;
  /** The point that the page shows more of. */
  chosen: () => number | null;
}

function options({ x, series, thresholds, marks, colours, width, height, onMove, chosen }: Drawing): uPlot.Options {
  const ratio = devicePixelRatio || 1;
  const size = length(x);
  return {
    width,
    height,
    padding: [marks.length > 0 ? SYMBOL_ROOM : 8, 14, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: size > 20, y: false }, points: { size: 8 }, y: false },
    scales: {
      x: x.kind === "time" ? { time: true, range: padded } : { time: false, range: [-0.5, size - 0.5] },
      y: { range: range(series, thresholds) },
    },
    axes: axes(x, colours),
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: colours.tones[one.tone],
        width: 1.75,
        dash: DASHES[one.tone],
        points: { show: false },
      })),
    ],
    hooks: {
      drawAxes: [
        (drawn: uPlot) => selection(drawn, chosen(), colours, ratio),
        (drawn: uPlot) => paintMarks(drawn, marks, colours, ratio),
      ],
      draw: [
        (drawn: uPlot) => paintThresholds(drawn, thresholds, colours, ratio),
        (drawn: uPlot) => markers(drawn, series, colours, ratio),
      ],
      setCursor: [(drawn: uPlot) => onMove(drawn.cursor.idx ?? null)],
    },
  };
}

/** Some room at both ends of time; an hour around a single instant. */
function padded(_: uPlot, low: number, high: number): [number, number] {
  const room = high > low ? (high - low) * 0.03 : 1800;
  return [low - room, high + room];
}
