"""Reads YAML as YAML 1.1 has it, and compares it with what was meant.

Standard input: a JSON array of {"name", "yaml", "meant"}, where `meant` lists the documents of `yaml`.
Prints each difference, then how many documents were compared; exits with 1 where there was a difference.
"""

import json
import sys

import yaml


def same(read, meant):
    """Equality that knows `true` from 1, and text from a date."""
    if isinstance(meant, dict):
        return (
            isinstance(read, dict)
            and len(read) == len(meant)
            and all(type(key) is str and key in meant and same(value, meant[key]) for key, value in read.items())
        )
    if isinstance(meant, list):
        return isinstance(read, list) and len(read) == len(meant) and all(map(same, read, meant))
    return type(read) is type(meant) and read == meant


def main():
    compared, wrong = 0, 0
    for case in json.load(sys.stdin):
        try:
            documents = [document for document in yaml.safe_load_all(case["yaml"])]
        except (yaml.YAMLError, ValueError) as error:
            documents = error
        compared += len(case["meant"])
        if not same(documents, case["meant"]):
            wrong += 1
            print(f"{case['name']}: read {documents!r}\n  meant {case['meant']!r}\n  in {case['yaml']!r}")
    print(f"compared {compared} documents, {wrong} differ")
    sys.exit(1 if wrong else 0)


main()
