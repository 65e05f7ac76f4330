"""``fabctl web``: the pages and the API."""

from __future__ import annotations

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig


@click.command()
@config_option
def web(config: LabConfig) -> None:
    """Serve the lab's pages and its API.

    Address and port are in lab.toml, table [web]. A running job does not need this program:
    machines go on when it ends, and the pages are right again when it is back.

    The database must be migrated (`fabctl migrate`) and the broker known; `fabctl run` sees to
    both. Ctrl-C or SIGTERM ends it within 2 seconds.
    """
    from fabctl_web.server import serve  # noqa: PLC0415  # heavy: only when it is called

    serve(config, lambda address: click.echo(f"Serving the lab {config.id} at {address}"))
