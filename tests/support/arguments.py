"""Arguments of campaigns: a file that is missing and a selection of nothing are refused, so
that a typing error does not look like a campaign without a fault.
"""
import argparse
import pathlib


def existing(text):
    """The path of a file or folder, as a type of argparse."""
    path = pathlib.Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text}: no such file or folder; build it first")
    return path


def refuse_nothing(chosen, option, value, names):
    """Ends the script with a message if an option chose nothing of these names."""
    if not chosen:
        raise SystemExit(f"{option} {value}: chooses nothing of: {', '.join(names)}")
