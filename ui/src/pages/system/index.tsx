// System: the daemon and its store, what `doctor` finds, who may do what, and who did.

import type { ComponentType } from "preact";
import type { PageProps } from "../../app";
import { Heading } from "../../parts/heading";
import { Empty } from "../../parts/states";
import { Tabs } from "../../parts/tabs";
import { useMay } from "../../session";
import { Access } from "./access";
import { Audit } from "./audit";
import { Checks } from "./checks";
import { Overview } from "./overview";
import "./system.css";

const VIEWS: { path: string; name: string; view: ComponentType; isForAdmins?: boolean }[] = [
  { path: "/system", name: "Overview", view: Overview },
  { path: "/system/checks", name: "Checks", view: Checks },
  { path: "/system/access", name: "Access", view: Access },
  { path: "/system/audit", name: "Audit", view: Audit, isForAdmins: true },
];

export function SystemPage({ params }: PageProps) {
  const isAdmin = useMay("admin");
  const path = params["view"] === undefined ? "/system" : `/system/${params["view"]}`;
  const shown = VIEWS.filter((one) => isAdmin || !one.isForAdmins);
  const View = shown.find((one) => one.path === path)?.view;
  return (
    <>
      <Heading title="System" />
      <Tabs label="System" current={path} tabs={shown.map((one) => ({ href: one.path, name: one.name }))} />
      {View ? <View /> : <Empty title="There is no page here">{VIEWS.some((one) => one.path === path) && "It is for administrators."}</Empty>}
    </>
  );
}
