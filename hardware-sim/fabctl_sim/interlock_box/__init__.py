"""A laser's, a mill's or a relay's electrical cabinet, for tests and demos.

Lid and door switches, flow meter, e-stop, buttons, two relays with force-guided contacts. It
stands in a process of its own; its pins are a file in memory that both sides map, so that a level
stays when the program that drives it dies, as on a Raspberry Pi. A hard-wired safety relay is not
part of it: what the program does is to be seen here without help.
"""
