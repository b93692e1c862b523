// Runs.

import { Heading } from "../parts/heading";

export function RunsPage() {
  return <Heading title="Runs" />;
}
