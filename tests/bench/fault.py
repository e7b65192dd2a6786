# SPDX-License-Identifier: Apache-2.0
"""What makes a figure unusable."""


class Fault(SystemExit):
    """A balancer or a tool did not do what it was asked. Its text says who and what. A group notes it in the
    balancer's cells and goes on; where nobody does, it ends the program with its text."""
