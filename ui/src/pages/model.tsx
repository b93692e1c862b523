// Model.

import type { PageProps } from "../app";
import { Heading } from "../parts/heading";

export function ModelPage({ params }: PageProps) {
  return <Heading title={params["version"] ?? ""} />;
}
