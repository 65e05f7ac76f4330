"""The lab's own authority renews a certificate: whole, and nobody loses the key meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path

MAKE_CERTIFICATES = Path(__file__).parents[2] / "deploy" / "make-certificates.sh"


def test_a_certificate_is_renewed_whole_and_its_key_stays_who_it_was_given_to(
    tmp_path: Path,
) -> None:
    words = [str(MAKE_CERTIFICATES), str(tmp_path), "localhost"]
    subprocess.run(words, check=True, capture_output=True)
    key, certificate = tmp_path / "localhost.key", tmp_path / "localhost.pem"
    key.chmod(0o640)
    before = key.read_bytes(), certificate.read_bytes()
    authority = tmp_path / "lab-ca.key"
    authority.rename(tmp_path / "in a drawer")
    authority.write_text("not a key")  # fails late: after the new key was made
    done = subprocess.run(words, check=False, capture_output=True)
    assert done.returncode != 0
    assert (key.read_bytes(), certificate.read_bytes()) == before
    (tmp_path / "in a drawer").rename(authority)
    subprocess.run(words, check=True, capture_output=True)
    assert certificate.read_bytes() != before[1]
    assert key.stat().st_mode & 0o777 == 0o640
    assert {one.name for one in tmp_path.iterdir()} == {
        "lab-ca.key", "lab-ca.pem", "lab-ca.srl", "localhost.key", "localhost.pem",
    }  # fmt: skip
