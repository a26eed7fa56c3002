"""Readers of an incident snapshot, run inside a sandbox: `python3 -m toolkit alerts`.

The detective and the exhaustive baseline write these files into their home and then call them turn by
turn. Only the standard library is used, and every answer is a handful of JSON lines.
"""
