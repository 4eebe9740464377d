"""Serves a folder over HTTP: `python -m tests.lab.repository_server FOLDER ADDRESS PORT`."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


def main() -> None:
    """Serve until ended."""
    folder, address, port = sys.argv[1:]
    ThreadingHTTPServer(
        (address, int(port)), partial(SimpleHTTPRequestHandler, directory=folder)
    ).serve_forever()


if __name__ == "__main__":
    main()
