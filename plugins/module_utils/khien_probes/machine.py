"""The host as probes see it: its files, its few commands, each looked at once however many probes ask."""

from __future__ import annotations

import fnmatch
import os
import signal
import subprocess
from typing import Any, Callable, Iterable, Optional, TypeVar, Union, cast

Command = Callable[[list[str], float], tuple[int, str]]

Found = TypeVar("Found")

_LARGEST_FILE = 64 * 1024 * 1024


class Hung(BaseException):
    """The time for a question is over; not an Exception, so that no probe can swallow it."""


class NoAnswerError(Exception):
    """A probe's question has no answer on this host; the message says why."""


class UnsupportedError(NoAnswerError):
    """This kind of system has nothing that could answer the question."""


def run_command(argv: list[str], limit: float) -> tuple[int, str]:
    """Run a command without input and return its exit code and its output; it never outlives the call."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        start_new_session=True,
    )
    try:
        output, _nothing = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        raise NoAnswerError("%s did not end within %g s" % (argv[0], limit)) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, output.decode("utf-8", "replace")


class Machine:
    """One host, or a recorded one below another root."""

    def __init__(
        self,
        root: str = "/",
        privileged: Optional[bool] = None,
        command: Command = run_command,
        now: float = 0.0,
    ) -> None:
        self._root = root.rstrip("/")
        self.privileged = os.geteuid() == 0 if privileged is None else privileged
        self.now = now
        self.units_of_interest: list[str] = []
        self.packages_of_interest: list[str] = []
        self.waiting_for = ""
        self._command = command
        self._known: dict[object, tuple[Any, Optional[BaseException]]] = {}

    def once(self, key: object, look: Callable[[], Found]) -> Found:
        """Return what looking gave the first time; a look that failed or hung is not repeated."""
        if key not in self._known:
            try:
                self._known[key] = (look(), None)
            except Hung:
                self._known[key] = (None, Hung())
                raise
            except Exception as trouble:
                self._known[key] = (None, trouble)
                raise
        value, problem = self._known[key]
        if isinstance(problem, Hung):
            self.waiting_for = self.waiting_for or str(key[1] if isinstance(key, tuple) else key)
        if problem is not None:
            raise problem
        return cast("Found", value)

    def path(self, path: str) -> str:
        """Return where a path of the host lies for us."""
        return self._root + path

    def exists(self, path: str) -> bool:
        """Whether a path exists."""
        return os.path.exists(self.path(path))

    def data(self, path: str) -> Optional[bytes]:
        """Return a file's bytes, or None when there is no such file."""
        return self.once(("file", path), lambda: self._read(path))

    def text(self, path: str) -> Optional[str]:
        """Return a file's text, or None when there is no such file."""
        data = self.data(path)
        return None if data is None else data.decode("utf-8", "replace")

    def lines(self, path: str, comment: str = "#") -> list[str]:
        """Return a configuration file's lines without comments, blanks and surrounding space."""
        text = self.text(path) or ""
        bare = (line.split(comment, 1)[0].strip() if comment else line.strip() for line in text.split("\n"))
        return [line for line in bare if line]

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder, none when there is no such folder."""
        return self.once(("folder", folder), lambda: self._list(folder))

    def matching(self, pattern: str) -> list[str]:
        """Return the sorted paths that a pattern with wildcards in its last part matches."""
        folder, _slash, last = pattern.rpartition("/")
        if not any(sign in last for sign in "*?["):
            return [pattern] if self.exists(pattern) else []
        return [folder + "/" + name for name in self.names(folder) if fnmatch.fnmatchcase(name, last)]

    def run(self, argv: Iterable[str], limit: float = 20.0) -> tuple[int, str]:
        """Run a command once and return its exit code and output."""
        words = list(argv)
        return self.once(("command", *words), lambda: self._start(words, limit))

    def program(self, *names: str) -> Optional[str]:
        """Return the first of these programs that the host has, or None."""
        for name in names:
            for folder in ("/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"):
                if os.access(self.path(folder + name), os.X_OK):
                    return folder + name
        return None

    def _read(self, path: str) -> Optional[bytes]:
        self.waiting_for = path
        try:
            with open(self.path(path), "rb") as stream:
                # No size is asked of read(): for files of /proc the kernel would reserve that much memory.
                size = os.fstat(stream.fileno()).st_size
                if size > _LARGEST_FILE:
                    raise NoAnswerError("%s is too large: %d bytes" % (path, size))
                data = stream.read()
        except (FileNotFoundError, NotADirectoryError):
            data = None
        self.waiting_for = ""
        return data

    def _list(self, folder: str) -> list[str]:
        try:
            return sorted(os.listdir(self.path(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _start(self, words: list[str], limit: float) -> tuple[int, str]:
        self.waiting_for = words[0]
        result = self._command(words, limit)
        self.waiting_for = ""
        return result


Setting = Union[str, int]


def number_or_text(word: str) -> Setting:
    """Return the decimal number that a word is, or the word itself."""
    return int(word) if word.lstrip("-").isdigit() else word
