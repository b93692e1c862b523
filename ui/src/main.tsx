// Where the application starts.

import { render } from "preact";
import { App } from "./app";
import { applyTheme, theme } from "./theme";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/drawings.css";
import "./styles/texts.css";
import "./styles/pages.css";

applyTheme(theme());
const root = document.getElementById("app");
if (root) render(<App />, root);
