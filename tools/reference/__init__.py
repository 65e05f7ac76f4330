"""The reference of the documents, made from the code.

What is long (API, commands, refusals, decisions) is made when the site is built: docs/conf.py puts
it where a page says ``<!-- made here: NAME -->``. What people also read in the sources (MQTT, the
keys of lab.toml) stands in its page, between marks: ``python -m tools.reference`` writes it anew,
and a test fails when it is stale.
"""
