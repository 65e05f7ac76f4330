"""What every machine driver keeps, as checks that a program can run: ``fabctl driver-check``.

The promises are those of :mod:`fabctl.ports`. Nothing here knows a concrete driver, nothing needs
pytest: the tests of our own drivers run the same list (:data:`~.catalogue.CHECKS`).
"""
