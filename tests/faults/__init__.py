"""The promises of a run that is never lost, with real processes, real signals and a real full disk.

`python -m tests.faults` keeps each as often as it says and prints the table; the tests' command does a few of each.
"""
