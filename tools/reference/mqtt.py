"""MQTT as tables: every topic, message, event and verb, from the code."""

from __future__ import annotations

import ast
import inspect
import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from fabctl.messaging.fields import Stamp
from fabctl.messaging.interlocks import UNKNOWN, InterlockPayload
from fabctl.messaging.payloads import (
    Answer,
    EventPayload,
    EventType,
    JobPayload,
    MachineState,
    StartOrder,
    StatePayload,
)
from fabctl.messaging.readings import GROUPS
from fabctl.messaging.signing import CARRIED_VERBS, FRESH_VERBS, OPEN_VERBS, TIMELESS_VERBS
from fabctl.messaging.topics import LabTopics, discovery
from fabctl.ports import Trouble
from tools.reference.markdown import code, plain, table

TOPICS = (
    "host_status", "steward_status", "meta", "state", "job", "interlock", "booking", "telemetry",
    "event", "command", "answer",
)  # fmt: skip
"""Methods of :class:`LabTopics`, in the order of the table; a test says when one is missing."""
STAMP = Stamp(datetime(2026, 1, 1, tzinfo=UTC), synced=True, boot="b", seq=1)
RENAMED = {"interlock_boot": "boot"}
"""Fields of messages that have another name in their class."""
CHOICES: Mapping[tuple[type, str], str] = {
    (StatePayload, "state"): ", ".join(code(s) for s in MachineState if s != MachineState.UNKNOWN),
    (JobPayload, "state"): "`active`, `none`",
    (InterlockPayload, "inputs"): "object: by input `condition`, `age_s`, `say`",
    (InterlockPayload, "permit"): "object: `use`, `left_s`; or null",
    (InterlockPayload, "permits_refused"): "object: by code a whole number",
    (EventPayload, "type"): "one of the events below",
}
KINDS = (
    "Open to whoever may write them: they take permission away, or only ask",
    "Signed with the machine's key and a fresh challenge",
    "Carried to the interlock's daemon, which checks it itself",
    "Signed, from the steward: these events are on record",
)


def topics() -> str:
    """Return the table of topics."""
    lab = LabTopics("lab")
    rows = [(code(_topic(lab, name)), plain(_member(name).__doc__)) for name in TOPICS]
    found = code(discovery("zmachinez").replace("zmachinez", "<machine>"))
    rows.append((found, "Retained: sensors for Home Assistant's discovery; no command topic."))
    return table(("topic", "what"), rows)


def messages() -> str:
    """Return a table of fields for every message, then the events and the verbs."""
    return "\n".join(_messages())


def _messages() -> Iterator[str]:
    for title, made in (
        ("`m/<machine>/state`", StatePayload(MachineState.IDLE)),
        ("`m/<machine>/job`", JobPayload("j")),
        ("`m/<machine>/interlock`", InterlockPayload(UNKNOWN)),
        ("`m/<machine>/event/<kind>`", EventPayload("t", STAMP)),
        ("An answer to a request", Answer(accepted=True, code="ok")),
    ):
        yield f"### {title}\n"
        yield table(("field", "form", "what"), _fields(made))
    yield "### The body of a signed `start`\n"
    yield table(("field", "form"), _order())
    yield "### Telemetry\n"
    yield table(("group", "fields; each a number or null"), _groups())
    yield "### Events\n"
    yield table(("event", "what"), _enum(EventType))
    yield "### Troubles\n"
    yield table(("trouble of a machine", "what"), _enum(Trouble))
    yield "### Verbs\n"
    kinds = zip(KINDS, (OPEN_VERBS, FRESH_VERBS, CARRIED_VERBS, TIMELESS_VERBS), strict=True)
    yield table(("verbs", "who may"), ((_words(verbs), said) for said, verbs in kinds))


def _words(words: frozenset[str]) -> str:
    return ", ".join(code(word) for word in sorted(words))


def _topic(lab: LabTopics, name: str) -> str:
    """Return a topic with ``<names>`` where a lab's own words stand."""
    found = getattr(lab, name)
    if callable(found):
        asked = list(inspect.signature(found).parameters)
        found = found(*(f"z{word}z" for word in asked))
        for word in asked:
            found = found.replace(f"z{word}z", f"<{word}>")
    return str(found).replace("/lab/", "/<lab>/", 1)


def _member(name: str) -> Any:
    found = vars(LabTopics)[name]
    return found.fget if isinstance(found, property) else found


def _fields(made: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of a message, as they are sent."""
    owner = type(made)
    words, hints = told(owner), get_type_hints(owner)
    common = {"v", "ts", "synced", "boot", "seq"}
    for key in _sent(made):
        if key not in common:
            name = RENAMED.get(key, key)
            form = CHOICES.get((owner, key)) or _form(hints[name])
            yield code(key), form, words.get(name, "")


def _sent(made: Any) -> list[str]:
    if isinstance(made, EventPayload):
        return [field.name for field in fields(made) if field.name != "stamp"]
    stamped = isinstance(made, StatePayload | JobPayload | InterlockPayload)
    return list(json.loads(made.encode(STAMP) if stamped else made.encode()))


def _order() -> Iterator[tuple[str, str]]:
    hints = get_type_hints(StartOrder)
    for field in fields(StartOrder):
        yield code(field.name), _form(hints[field.name])


def _groups() -> Iterator[tuple[str, str]]:
    for group, names in GROUPS.items():
        yield code(group), "`<heater>_c`, `<heater>_target_c`" if names is None else _words(names)


def _enum(words: type[StrEnum]) -> Iterator[tuple[str, str]]:
    said = told(words)
    for word in words:
        yield code(word.value), said.get(word.name, "")


def _form(hint: Any) -> str:
    if get_origin(hint) in {Union, types.UnionType}:
        return " or ".join(_form(one) for one in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return ", ".join(code(one.value) for one in hint)
    named = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return named.get(hint, "null" if hint is type(None) else str(hint))


def told(owner: type) -> dict[str, str]:
    """Return what stands below each attribute of a class."""
    (body,) = ast.parse(inspect.getsource(owner)).body
    assert isinstance(body, ast.ClassDef)  # noqa: S101  # of a class
    found: dict[str, str] = {}
    name = ""
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name:
            found[name] = plain(str(node.value.value))
        else:
            name = ""
    return found
