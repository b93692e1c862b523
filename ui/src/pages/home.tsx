// Pipelines.

import { Heading } from "../parts/heading";

export function HomePage() {
  return <Heading title="Pipelines" />;
}
