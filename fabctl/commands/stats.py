"""``fabctl stats``: a year in numbers, for funders."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from fabctl.commands.options import config_option
from fabctl.config import LabConfig
from fabctl.whole_files import write_whole


@click.command()
@config_option
@click.option("--year", type=click.IntRange(2000, 2200), help="Default: the year before this one.")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file, for spreadsheets.",
)
@click.option(
    "--pdf",
    "pdf_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file, to be printed.",
)
def stats(
    config: LabConfig, year: int | None, csv_file: Path | None, pdf_file: Path | None
) -> None:
    """Count who came in a year: by month, workshop, age, partner, and for the first time.

    Without --csv and --pdf it is printed as CSV. Groups of fewer than 5 people are not shown,
    nor what would tell how many these are.
    """
    from fabctl.commands.lab_database import lab_database, who_types  # noqa: PLC0415  # --help stays quick
    from fabctl.services import statistics, statistics_papers  # noqa: PLC0415  # the same

    wanted = year or date.today().year - 1  # noqa: DTZ011  # the year on the wall
    language = config.languages[0]
    with lab_database(config) as database, database.reading() as session:
        view = statistics.of_year(session, config.time_zone, year=wanted, by=who_types())
    if pdf_file is not None:
        write_whole(pdf_file, statistics_papers.statistics_pdf(view, language, config.name))
    if csv_file is not None:
        write_whole(csv_file, statistics_papers.statistics_csv(view, language))
    for file in (csv_file, pdf_file):
        if file is not None:
            click.echo(f"Wrote {file}.")
    if csv_file is None and pdf_file is None:
        click.echo(statistics_papers.statistics_csv(view, language).lstrip("\ufeff"), nl=False)
