"""Write what is made anew into the documents that hold it: `python -m tools.reference`."""

from __future__ import annotations

from pathlib import Path

from tools.reference import lab_toml, mqtt
from tools.reference.markdown import between

ROOT = Path(__file__).parents[2]
MQTT, LAB_TOML = ROOT / "docs/mqtt.md", ROOT / "docs/lab-toml.md"
WRITTEN = {
    (MQTT, "topics"): mqtt.topics,
    (MQTT, "messages"): mqtt.messages,
    (LAB_TOML, "keys"): lab_toml.page,
}
"""Document and mark: what stands between its marks."""


def written(document: Path) -> str:
    """Return a document as it should be."""
    text = document.read_text("utf-8")
    for (path, name), make in WRITTEN.items():
        if path == document:
            text = between(text, name, make())
    return text


def main() -> None:
    """Write every document that is stale."""
    for path in dict.fromkeys(path for path, _ in WRITTEN):
        path.write_text(written(path), "utf-8")


if __name__ == "__main__":
    main()
