"""The figures of a terminal program that people show to each other: bytes, time, memory, any text, any size, any key.

`python -m tests.benchmarks.terminal` prints the table; each row of it is a module's.
"""
