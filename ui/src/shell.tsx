// What is around every page: where one can go, whether it is live, theme and zone, who is signed in, the keys.

import { Fragment, type ComponentChildren } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { forgetAll, remove } from "./api/client";
import { watch, watchConnection } from "./api/live";
import { boundKeys, useKeys } from "./keys";
import { setZone, useZone } from "./lib/time";
import { Dialog } from "./parts/dialog";
import { Icon } from "./parts/icons";
import { Toasts, toastProblem } from "./parts/toast";
import { navigate } from "./router";
import { SessionContext } from "./session";
import { applyTheme, nextTheme, theme } from "./theme";

const PLACES: [string, string][] = [
  ["/", "Pipelines"],
  ["/runs", "Runs"],
  ["/models", "Models"],
  ["/drift", "Drift"],
  ["/data", "Data"],
  ["/reports", "Reports"],
  ["/system", "System"],
];

/** Which place a path belongs to. */
function placeOf(path: string): string {
  if (path === "/" || path.startsWith("/pipelines")) return "/";
  return `/${path.split("/")[1]}`;
}

export function Shell({ path, children }: { path: string; children: ComponentChildren }) {
  const [help, setHelp] = useState(false);
  useKeys([
    { key: "?", does: "show the keys", run: () => setHelp(true) },
    { key: "h", does: "all pipelines", run: () => navigate("/") },
    { key: "u", does: "times in UTC or in your zone", run: () => document.getElementById("zone")?.click() },
  ]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <a class="brand" href="/">
          <img src="/assets/icon.svg" alt="" width="20" height="20" />
          recflow
        </a>
        <nav aria-label="Main">
          {PLACES.map(([href, name]) => (
            <a key={href} href={href} aria-current={placeOf(path) === href ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="tools">
          <Connection />
          <ZoneSwitch />
          <ThemeSwitch />
          <button type="button" class="quiet square" onClick={() => setHelp(true)} aria-label="Keyboard shortcuts">
            ?
          </button>
          <Account />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Toasts />
      {help && <Help onClose={() => setHelp(false)} />}
    </>
  );
}

/** Says when what is shown may be old. A moment without a connection is not worth a word. */
function Connection() {
  const [lost, setLost] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopState = watchConnection((connected) => {
      clearTimeout(timer);
      if (connected) setLost(false);
      else timer = setTimeout(() => setLost(true), 4000);
    });
    const stop = watch(() => {});
    return () => {
      clearTimeout(timer);
      stopState();
      stop();
    };
  }, []);
  return (
    <span class="connection" role="status">
      {lost && <span class="status tone-warn">not live – connecting</span>}
    </span>
  );
}

function ZoneSwitch() {
  const zone = useZone();
  return (
    <button
      id="zone"
      type="button"
      class="quiet"
      title={zone === "utc" ? "Times are in UTC" : `Times are in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`}
      aria-label={zone === "utc" ? "UTC: times are in UTC; show yours" : "Local: times are in your zone; show UTC"}
      onClick={() => setZone(zone === "utc" ? "local" : "utc")}
    >
      {zone === "utc" ? "UTC" : "Local"}
    </button>
  );
}

function ThemeSwitch() {
  const [choice, setChoice] = useState(theme);
  const icon = { system: "system", light: "sun", dark: "moon" } as const;
  const turn = () => {
    const next = nextTheme(choice);
    applyTheme(next);
    setChoice(next);
  };
  return (
    <button type="button" class="quiet square" title={`Theme: ${choice}`} aria-label={`Theme: ${choice}; change`} onClick={turn}>
      <Icon name={icon[choice]} />
    </button>
  );
}

function Account() {
  const session = useContext(SessionContext);
  if (!session) return null;
  const leave = () =>
    remove("/session").then(() => {
      forgetAll();
      location.assign("/login");
    }, toastProblem);
  return (
    <details class="account">
      <summary aria-label={`Signed in as ${session.user}`} title={session.user}>
        <Icon name="user" />
      </summary>
      <div class="menu">
        <p>
          <strong>{session.user}</strong>
          <br />
          <span class="muted">{session.role}</span>
        </p>
        <a href="/system/access">Password and tokens</a>
        <button type="button" onClick={leave}>
          Sign out
        </button>
        <p class="muted">recflow {session.version}</p>
      </div>
    </details>
  );
}

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl class="facts keys">
        {boundKeys().map(({ key, does }) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key === " " ? "space" : key}</kbd>
            </dt>
            <dd>{does}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
