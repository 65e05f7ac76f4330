"""A stand-in for a 3D printer's controller: Marlin 2.0.9 on an 8-bit board, by its documents.

Bytes go in with the time at which the host wrote them, bytes come out with the time at which
the last of them has left the board. Everything between (wire, receive buffer, line check,
command queue, planner, heaters) runs in simulated seconds and reads no clock.

Sources of the facts, cited where they are used: the G-code pages of https://marlinfw.org/docs,
and of the firmware ``gcode/queue.cpp``, ``gcode/gcode.cpp``, ``gcode/parser.cpp``,
``module/planner.cpp``, ``module/temperature.cpp``, ``core/language.h``, ``Configuration.h`` and
``Configuration_adv.h`` as facts about behaviour. No code of it is used here.
"""
