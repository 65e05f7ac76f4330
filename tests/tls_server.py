"""A server that shows a certificate and says nothing, and the certificates for it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GREETS_WITHIN_S = 30.0


@contextmanager
def server_with(certificate: Path, key: Path) -> Iterator[int]:
    """Run a server that greets everybody over TLS; yield its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            while not ended.is_set():
                plain, _ = listener.accept()
                with plain:
                    plain.settimeout(GREETS_WITHIN_S)
                    try:
                        context.wrap_socket(plain, server_side=True).close()
                    except OSError:
                        continue  # whoever does not like the certificate leaves

        thread = threading.Thread(target=greet)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            ended.set()
            socket.create_connection(listener.getsockname()).close()  # its last guest
            thread.join(GREETS_WITHIN_S)


def certificate_files(folder: Path, days: int) -> tuple[Path, Path]:
    """Have openssl make a certificate that ends in so many days; below 0: it has ended."""
    key, request, made = folder / "key.pem", folder / "request.pem", folder / "made.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for words in (
        f"req -new {curve} -keyout {key} -out {request} -subj /CN=localhost -addext {names}",
        f"x509 -req -in {request} -signkey {key} -days {days} -copy_extensions copy -out {made}",
    ):
        subprocess.run(["openssl", *words.split()], check=True, capture_output=True, timeout=60)
    return made, key
