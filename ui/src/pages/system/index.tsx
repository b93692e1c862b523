import { Heading } from "../../parts/heading";
export function SystemPage() {
  return <Heading title="system" />;
}
