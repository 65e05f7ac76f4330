"""Migrations, one file each, applied in one transaction by :mod:`fabctl.store.migrate`."""
