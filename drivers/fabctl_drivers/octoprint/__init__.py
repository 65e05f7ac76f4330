"""A printer behind an OctoPrint server: status by push or polling, jobs by upload."""
