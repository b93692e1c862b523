// Data.

import { Heading } from "../parts/heading";

export function DataPage() {
  return <Heading title="Data" />;
}
