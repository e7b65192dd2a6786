# SPDX-License-Identifier: Apache-2.0
"""What the benchmark is asked for on its command line; what makes no sense is refused before anything is done."""

import argparse
import os
import re

import groups
from rows import OWN, PEERS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MODES = ("instructions", "scale", "registry", "policy")  # each instead of the comparison
PLAIN_PATH = r"[\w./+@-]+"  # what needs no quoting in any balancer's configuration


def _parser(description):
    parser = argparse.ArgumentParser(prog="bench", description=description)
    parser.add_argument("--quick", action="store_true", help="about two minutes: the key rows, smaller units")
    parser.add_argument("--work", metavar="NAMES", help="only these groups or rows: "
                        + ", ".join(group.NAME for group in groups.ALL))
    parser.add_argument("--http2", action="store_true", help="the same as --work http2")
    parser.add_argument("--only", metavar="NAMES", help="balancers, for example lb,nginx")
    parser.add_argument("--repetitions", type=int, metavar="N", help="default: 3 quick, 5 otherwise")
    parser.add_argument("--idle", type=int, metavar="N", help="idle connections")
    parser.add_argument("--keep", action="store_true", help="with --instructions: write the file of kept ones")
    parser.add_argument("--before", metavar="FILE", help="with --registry: an older lb beside this one")
    _add_modes(parser)
    _add_places(parser)
    return parser


def _add_modes(parser):
    parser.add_argument("--instructions", action="store_true",
                        help="instead: lb's instructions beside those kept; exit 1 when they differ by more than 3 %%")
    parser.add_argument("--scale", action="store_true",
                        help="instead: what thousands of rules and backends cost, and a reload of them")
    parser.add_argument("--registry", action="store_true",
                        help="instead: what the registry of client certificates costs, with up to a million")
    parser.add_argument("--policy", action="store_true",
                        help="instead: what a rule's policy costs beside plain mutual_auth = require")


def _add_places(parser):
    parser.add_argument("--lb", metavar="FILE", default=os.path.join(ROOT, "build/release/lb"))
    parser.add_argument("--tools", metavar="FOLDER", default=os.path.join(ROOT, "build/release/bench"),
                        help="where load and backend are")
    parser.add_argument("--out", metavar="FOLDER", default=os.path.join(ROOT, "build/bench"))
    parser.add_argument("--results", metavar="FOLDER", default=HERE,
                        help="where a full run writes RESULTS.md and ratios.svg")
    parser.add_argument("--kept", metavar="FILE", default=os.path.join(HERE, "instructions.json"),
                        help="the file that --instructions compares with")


def _words(text):
    """The names of a list with commas, or None where there is no list."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _refusal(options):
    """Why these options are not taken, or None."""
    modes = ["--" + mode for mode in MODES if getattr(options, mode)]
    if len(modes) > 1:
        return " and ".join(modes) + " exclude one another"
    if options.keep and not options.instructions:
        return "--keep goes with --instructions"
    if options.before is not None and not options.registry:
        return "--before goes with --registry"
    if options.repetitions < 1 or (options.idle is not None and options.idle < 1):
        return "--repetitions and --idle are at least 1"
    unknown = [name for name in options.only or [] if name not in (OWN, *PEERS)]
    if unknown or options.only == []:
        return f"--only knows {', '.join((OWN, *PEERS))}, not '{', '.join(unknown)}'"
    if not re.fullmatch(PLAIN_PATH, os.path.abspath(options.out), re.ASCII):
        return (f"--out {os.path.abspath(options.out)!r}: only letters, digits and . _ / + @ - may be in its path, for "
                "it stands in the configurations of its peers")
    return None


def read(description, arguments=None):
    """The options; `work` and `only` as lists or None. Ends the program where they are not understood."""
    parser = _parser(description)
    options = parser.parse_args(arguments)
    if options.repetitions is None:
        options.repetitions = 3 if options.quick else 5
    options.work, options.only = _words(options.work), _words(options.only)
    if options.http2:
        options.work = [*(options.work or []), groups.http2.NAME]
    refusal = _refusal(options)
    if refusal is not None:
        parser.error(refusal)
    return options
