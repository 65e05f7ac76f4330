"""Who is in the lab, through the API only: a trainer comes, and supervised people may work."""

from __future__ import annotations

from pathlib import Path

from tests.servers.api_workshop import Scene, api_scene
from tests.web_caller import codes
from tests.web_lab import OUTSIDE

ACCESS = "/machines/printer-a/access"
HOME = {"REMOTE_ADDR": OUTSIDE}


def missing(scene: Scene) -> list[str]:
    """Return the codes of what speaks against the member's work on printer-a."""
    found = scene.got("member", "GET", ACCESS)
    assert found["allowed"] is not bool(found["refusals"])
    return [one["code"] for one in found["refusals"]]


def certified(scene: Scene, login: str, level: str) -> None:
    path = f"/people/{scene.id(login)}/certifications/printer-a"
    scene.got("staff", "PUT", path, reason="trained elsewhere", level=level)


def test_a_trainer_who_checks_in_lets_a_supervised_person_work(tmp_path: Path) -> None:
    with api_scene(tmp_path) as scene:
        certified(scene, "member", "supervised")
        certified(scene, "trainer", "trainer")
        scene.got("staff", "PUT", "/policies", reach="lab", numbers={"walk_up": True})
        scene.lab.workshop.say("printer-a", "idle")
        trainer = scene.tokens["trainer"]
        assert missing(scene) == ["supervision-missing"]

        refused = trainer.ask("POST", "/presence", json={}, environ_base=HOME)
        assert (refused.status_code, codes(refused)) == (409, ["not-at-the-lab"])
        assert missing(scene) == ["supervision-missing"]

        assert trainer.ask("POST", "/presence", json={}).status_code == 200
        assert missing(scene) == []
        assert trainer.ask("DELETE", "/presence", environ_base=HOME).status_code == 204
        assert missing(scene) == ["supervision-missing"]

        scene.got("staff", "POST", "/presence", person=scene.id("trainer"))
        assert missing(scene) == []
        scene.clock.advance(12 * 3600)  # it ends by itself
        scene.lab.workshop.say("printer-a", "idle")
        assert missing(scene) == ["supervision-missing"]
        seen = scene.got("staff", "GET", f"/audit?subject=person:{scene.id('trainer')}")["lines"]
        assert [one["what"] for one in seen[:3]] == [
            "presence.came", "presence.left", "presence.came",
        ]  # fmt: skip


def test_the_staff_see_who_is_there_in_pages(tmp_path: Path) -> None:
    with api_scene(tmp_path) as scene:
        for login in ("other", "member", "animator"):
            scene.tokens[login].ask("POST", "/presence", json={})
            scene.clock.advance(1)
        first = scene.got("staff", "GET", "/presence?limit=2")
        rest = scene.got("staff", "GET", f"/presence?limit=2&cursor={first['next']}")
        names = [one["name"] for one in (*first["present"], *rest["present"])]
        assert names == ["Other", "Member", "Animator"]
        assert rest["next"] is None
