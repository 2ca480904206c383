import "./styles/base.css";
import "./styles/frame.css";
import "./styles/controls.css";
import "./styles/views.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { hearSetupLinks, start } from "./login/login.ts";
import { watchSession } from "./login/watch.ts";

const place = document.getElementById("app");
if (place) render(<App />, place);
hearSetupLinks();
watchSession();
void start();
