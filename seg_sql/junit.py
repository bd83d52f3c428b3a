"""The models and tests of a run as JUnit XML."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from seg_sql.artifacts import outcomes, writing
from seg_sql.events import Log, NodeFinished, RunFinished, TestFinished

# What XML 1.0 cannot hold, not even escaped: a driver's words may carry any character.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, log: Log, finished: RunFinished) -> None:
    """Write the models and tests of a run as JUnit XML, which CI servers show."""
    events: list[NodeFinished | TestFinished] = [*outcomes(log), *log.of(TestFinished)]
    cases = [_case(event) for event in events]
    suite = ElementTree.Element(
        "testsuite",
        name=f"seg-sql {finished.command}",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{finished.seconds:.3f}",
    )
    suite.extend(cases)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _case(event: NodeFinished | TestFinished) -> ElementTree.Element:
    if isinstance(event, TestFinished):
        group, failures, detail = event.model, event.failures, event.detail
    else:
        group, failures, detail = "models", 0, event.message
    case = ElementTree.Element(
        "testcase", classname=group, name=_xml(event.name), time=f"{event.seconds:.3f}"
    )
    said = _xml(event.message or (f"{failures} rows" if failures else ""))
    if event.status in ("error", "fail"):
        tag = "failure" if event.status == "fail" else "error"
        inner = ElementTree.SubElement(case, tag, message=said or "failed")
        inner.text = _xml(detail)
    elif event.status == "skipped":
        ElementTree.SubElement(case, "skipped", message=said)
    elif event.status == "warn":
        ElementTree.SubElement(case, "system-out").text = f"WARN {said}"
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)
