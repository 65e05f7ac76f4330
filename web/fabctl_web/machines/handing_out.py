"""A job's file that came in at one web process, for the others of the lab."""

from __future__ import annotations

import logging
import re

from flask import Blueprint, abort, request, send_file
from werkzeug.wrappers import Response

from fabctl.file_fetching import SCHEME, Source, Wanted, fetch_from_any, is_proof, peer
from fabctl.services import files
from fabctl_web.lab import Lab, current_lab
from fabctl_web.uploads import Upload

_LOG = logging.getLogger("fabctl.files")
_SHA256 = re.compile(r"[0-9a-f]{64}")

area = Blueprint("files", __name__)


@area.get("/files/<sha256>")
def hand_out(sha256: str) -> Response:
    """Hand a file on record to whoever holds the lab's secret; to all others there is none."""
    lab, said = current_lab(), request.authorization
    if said is None or said.type != SCHEME or not said.token or not _SHA256.fullmatch(sha256):
        return abort(404)
    path = lab.config.paths.job_file(sha256)
    if not is_proof(said.token, lab.secret, sha256) or not path.is_file():
        return abort(404)
    return send_file(path, mimetype="application/octet-stream", max_age=0)


def fetched(lab: Lab, sha256: str) -> bool:
    """Have a file on record here, from the web process that it came in at; say whether it is.

    :raises DiskFullError: there is no room for it.
    """
    path = lab.config.paths.job_file(sha256)
    if path.is_file():
        return True
    with lab.db.reading() as db:
        size = files.size_on_record(db, sha256)
    ca_file = lab.config.web.ca_file or lab.config.broker.ca_file
    sources = [peer(url, lab.secret, ca_file) for url in lab.config.web.peers]
    if size is None or not sources:
        return False
    if not any(_fetched_from(source, lab, Wanted(sha256, size)) for source in sources):
        return False
    lab.tidying.after_a_file(lab)
    return True


def _fetched_from(source: Source, lab: Lab, wanted: Wanted) -> bool:
    upload = Upload(lab.config.paths.tmp)  # one for each: what fails takes its file along
    try:
        if not fetch_from_any([source], wanted, upload.path, _LOG.warning, lab.clock):
            return False
        upload.settle()
        upload.keep(lab.config.paths.job_file(wanted.sha256))
    finally:
        upload.close()
    return True
