"""Which language a page is in, and what templates need to speak it."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request, session

from fabctl_web.lab import Lab, current_lab
from fabctl_web.people.signed_in import is_kiosk, signed_in
from fabctl_web.speech import Speech

NAMES = {"fr": "Français", "en": "English"}


def init_app(app: Flask) -> None:
    """Remember a language that was chosen, and give every template its words."""
    app.before_request(_remember_choice)
    app.context_processor(lambda: words_in(current_lab(), chosen_language()))


def speech() -> Speech:
    """Return how this request's answer speaks."""
    if "speech" not in g:
        g.speech = current_lab().speech(chosen_language())
    found = g.speech
    assert isinstance(found, Speech)  # noqa: S101  # set three lines above
    return found


def chosen_language() -> str:
    """Return the language: chosen on this browser, else the person's, else the browser's.

    A shared screen starts in the lab's own language, whatever its browser was installed in.
    The API follows Accept-Language alone.
    """
    languages = current_lab().config.languages
    if request.path.startswith("/api/"):
        return request.accept_languages.best_match(languages, languages[0])
    person = signed_in()
    wanted = [session.get("language"), person.language if person else None]
    for language in wanted:
        if language in languages:
            return str(language)
    if is_kiosk():
        return languages[0]
    return request.accept_languages.best_match(languages, languages[0])


def words_in(lab: Lab, language: str) -> dict[str, Any]:
    """Return what every template gets: the language, its functions, and the time."""
    others = [code for code in lab.config.languages if code != language]
    return {
        "_": lab.speech(language),
        "lang": language,
        "other_languages": [(code, NAMES.get(code, code)) for code in others],
        "now": lab.clock.now(),
    }


def _remember_choice() -> None:
    language = request.args.get("lang")
    if language in current_lab().config.languages and request.method == "GET":
        session["language"] = language
