"""``camera`` of a machine in lab.toml: what it takes, and what it says of each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabctl.config_file import ConfigError, read, summary

HERE = Path("/srv/lab/lab.toml")
LAB = '[lab]\nid = "lab"\nname = "Lab"\n[machines.laser]\nkind = "laser"\ndriver = "opaque"\n'


def test_a_camera_and_none() -> None:
    assert read(LAB, HERE, {"opaque"}).machines["laser"].camera is None
    address = "http://192.168.1.30:8080/?action=snapshot"
    lab = read(f'{LAB}camera = "{address}"\n', HERE, {"opaque"})
    assert lab.machines["laser"].camera == address
    assert f"camera {address}" in summary(lab)


@pytest.mark.parametrize(
    "value",
    [
        '"rtsp://192.168.1.30/"', '"file:///etc/passwd"', '"192.168.1.30/snapshot"', '"http://"',
        '"http://user:secret@192.168.1.30/"', '"http://cam:99999/"', '"http://cam/a b"',
        '"http://cam/#now"', '"http://[::1/"',
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_snapshot(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(f"{LAB}camera = {value}\n", HERE, {"opaque"})
    (problem,) = caught.value.problems
    assert problem.key == "machines.laser.camera"
    assert "http://HOST/PATH" in problem.allowed


@pytest.mark.parametrize("value", ['""', "7"])
def test_what_is_no_text(value: str) -> None:
    with pytest.raises(ConfigError, match="camera"):
        read(f"{LAB}camera = {value}\n", HERE, {"opaque"})
