// Drift.

import { Heading } from "../parts/heading";

export function DriftPage() {
  return <Heading title="Drift" />;
}
