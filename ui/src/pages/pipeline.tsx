// Pipeline.

import type { PageProps } from "../app";
import { Heading } from "../parts/heading";

export function PipelinePage({ params }: PageProps) {
  return <Heading title={params["pipeline"] ?? ""} />;
}
