// Run.

import type { PageProps } from "../app";
import { Heading } from "../parts/heading";

export function RunPage({ params }: PageProps) {
  return <Heading title={params["run"] ?? ""} />;
}
