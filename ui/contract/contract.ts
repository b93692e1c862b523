// The shapes that the pages read are those that the API's document promises. Nothing here runs: `npm run contract` makes `schema.ts` from
// docs/openapi.json and lets the compiler compare. A field that the API renames, drops or gives another type is an error here.

import type * as page from "../src/api/types";
import type { components } from "./schema";

type Api = components["schemas"];

/** The document leaves out of `required` what may be null; the API always writes it. JSON of any shape (`unknown`) fits whatever is read there. */
type Written<T> = unknown extends T ? any : T extends (infer Item)[] ? Written<Item>[] : T extends object ? { [K in keyof T]-?: Written<Exclude<T[K], undefined>> } : T;

/** Whether what the API writes can be read as the pages read it. */
type Reads<Given, Wanted> = [Pick<Written<Given>, keyof Written<Given> & keyof Wanted>] extends [Written<Wanted>] ? true : { fieldsThatDiffer: Differ<Written<Given>, Written<Wanted>> };
type Differ<Given, Wanted> = { [K in keyof Wanted]: K extends keyof Given ? (Given[K] extends Wanted[K] ? never : K) : K }[keyof Wanted];

export const CONTRACT: {
  session: Reads<Api["SessionFacts"], page.Session>;
  run: Reads<Api["ListedRun"], page.RunBrief>;
  runDetail: Reads<Api["RunDetail"], page.RunDetail>;
  task: Reads<Api["TaskBrief"], page.TaskBrief>;
  taskDetail: Reads<Api["TaskDetail"], page.TaskDetail>;
  attempt: Reads<Api["AttemptFact"], page.AttemptFact>;
  event: Reads<Api["EventFact"], page.RunEvent>;
  log: Reads<Api["LogPart"], page.LogPart>;
  card: Reads<Api["PipelineCard"], page.PipelineCard>;
  pipeline: Reads<Api["PipelineDetail"], page.PipelineDetail>;
  graph: Reads<Api["Graph"], page.Graph>;
  grid: Reads<Api["Grid"], page.Grid>;
  slot: Reads<Api["Entry"], page.Slot>;
  firing: Reads<Api["FiringFact"], page.Firing>;
  source: Reads<Api["SourceText"], page.SourceText>;
  diagnostic: Reads<Api["DiagnosticReport"], page.Diagnostic>;
  overview: Reads<Api["Overview"], page.Overview>;
} = {
  session: true,
  run: true,
  runDetail: true,
  task: true,
  taskDetail: true,
  attempt: true,
  event: true,
  log: true,
  card: true,
  pipeline: true,
  graph: true,
  grid: true,
  slot: true,
  firing: true,
  source: true,
  diagnostic: true,
  overview: true,
};
